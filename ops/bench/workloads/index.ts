import type { Workload } from '../workload.ts'
import { cells } from './cells.ts'
import { commands } from './commands.ts'
import { growth } from './growth.ts'
import { life } from './life.ts'
import { open } from './open.ts'
import { pools } from './pools.ts'
import { rush } from './rush.ts'
import { tracing } from './tracing.ts'
import { workers } from './workers.ts'

/** Everything that can be measured, in the order in which it is. */
export const workloads: Workload[] = [rush, open, commands, life, growth, workers, cells, tracing, pools]

/** What a run without any choice measures. */
export const standardNames = workloads.filter(({ isExtra }) => !isExtra).flatMap(({ names }) => names)
