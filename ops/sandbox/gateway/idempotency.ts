import { type Answer, badRequest } from './service.ts'

/** Remembers what each key was answered, as a service does that takes idempotency keys. */
export function rememberAnswers(): (key: string, request: object, act: () => Answer) => Answer {
  const known = new Map<string, { request: string; answer: Answer }>()
  return (key, request, act) => {
    const text = JSON.stringify(request)
    const before = known.get(key)
    if (before === undefined) {
      const answer = act()
      known.set(key, { request: text, answer })
      return answer
    }
    if (before.request !== text) return badRequest(`the key ${key} came before, with other values`)
    return { ...before.answer, isRepeat: true }
  }
}
