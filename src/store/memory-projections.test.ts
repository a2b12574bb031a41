import { MemoryStore } from './memory.ts'
import { MemoryProjections } from './memory-projections.ts'
import { projectionFeatures } from './projections.features.ts'

projectionFeatures('MemoryProjections', async () => {
  const store = new MemoryStore(4, () => 0)
  const projections = new MemoryProjections(store)
  return {
    store,
    open: () => projections.connect(),
    endLead: async () => projections.endLead(),
    close: async () => {},
  }
})
