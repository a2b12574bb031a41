import type { Workload } from '../workload.ts'
import { cells } from './cells.ts'
import { commands } from './commands.ts'
import { growth } from './growth.ts'
import { life } from './life.ts'
import { open } from './open.ts'
import { rush } from './rush.ts'
import { workers } from './workers.ts'

/** Everything that can be measured, in the order in which it is. */
export const workloads: Workload[] = [rush, open, commands, life, growth, workers, cells]
