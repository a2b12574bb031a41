import type { Answer, HttpRequest } from './exchange.ts'
import type { Gate } from './gate.ts'
import type { Found, Router } from './router.ts'
import type { Serve } from './serve.ts'
import type { Traffic } from './traffic.ts'

/** What every request meets, whichever way it comes. */
export type Reception = { gate: Gate; route: Router; traffic: Traffic; serve: Serve }

/** The way back. */
export type Way = {
  send(answer: Answer): void
  /** @param ended called once, when the answer has left, or when there is nobody any more to take it */
  onEnd(ended: (isSent: boolean) => void): void
}

export function receive({ gate, traffic, serve }: Reception, request: HttpRequest, found: Found, way: Way): void {
  const refusal = gate.turnAway(request)
  if (refusal) {
    way.send(refusal)
    return
  }
  const visit = traffic.begin(request, found)
  let answer: Answer | undefined
  way.onEnd((isSent) => traffic.end(visit, answer, isSent))
  void serve(visit).then((made) => {
    answer = made
    way.send(made)
  })
}
