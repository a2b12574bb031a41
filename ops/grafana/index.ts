import { business } from './business.ts'
import { engine } from './engine.ts'
import { overview } from './overview.ts'
import { services } from './services.ts'

export const boards = [overview, engine, services, business]
