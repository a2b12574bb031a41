import { MemoryStore } from './memory.ts'
import { storeFeatures } from './store.features.ts'

storeFeatures('MemoryStore', async () => {
  let nowMs = 0
  const store = new MemoryStore(4, () => nowMs)
  return {
    store,
    reads: store,
    feed: store,
    passTime: async (ms) => {
      nowMs += ms
    },
    deadLetters: async () => store.deadLetters,
    close: async () => {},
  }
})
