import { alarmFeatures } from './alarms.features.ts'
import { failingCallsFeatures } from './failing-calls.features.ts'
import { feedFeatures } from './feed.features.ts'
import { MemoryStore } from './memory.ts'
import { redriveFeatures } from './redrive.features.ts'
import { type StoreHarness, storeFeatures } from './store.features.ts'

const open = async (): Promise<StoreHarness> => {
  let nowMs = 0
  const store = new MemoryStore(4, () => nowMs)
  return {
    store,
    reads: store,
    feed: store,
    redrives: store,
    passTime: async (ms) => {
      nowMs += ms
    },
    pause: async (pause) => store.pause(pause),
    resume: async (pause) => store.resume(pause),
    deadLetters: async () => store.deadLetters,
    settleLetter: async (letter, status) => store.settle(letter, status),
    archive: async (mark) => store.archive(mark),
    close: async () => {},
  }
}

storeFeatures('MemoryStore', open)
alarmFeatures('MemoryStore', open)
feedFeatures('MemoryStore', open)
failingCallsFeatures('MemoryStore', open)
redriveFeatures('MemoryStore', open)
