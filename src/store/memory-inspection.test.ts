import { describeInspection } from './inspection.features.ts'
import { inspect } from './memory-inspection.ts'

describeInspection('a record in memory', async (record) => inspect(record))
