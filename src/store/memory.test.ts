import { MemoryStore } from './memory.ts'
import { storeFeatures } from './store.features.ts'

storeFeatures('MemoryStore', async () => {
  let nowMs = 0
  const store = new MemoryStore(4, () => nowMs)
  return {
    store,
    reads: store,
    passTime: async (ms) => {
      nowMs += ms
    },
    pause: async (pause) => store.pause(pause),
    resume: async (pause) => store.resume(pause),
    deadLetters: async () => store.deadLetters,
    close: async () => {},
  }
})
