import type { Kind } from '../schemas/index.ts'
import type { AnyActor } from '../src/actor/actor.ts'
import { booking } from './booking.ts'
import { bundle } from './bundle.ts'
import { show } from './show.ts'
import { ticket } from './ticket.ts'

/** Everyone who lives in the house. A kind in the catalogue without an actor here is a compile error. */
export const actors: Record<Kind, AnyActor> = { show, booking, ticket, bundle }
