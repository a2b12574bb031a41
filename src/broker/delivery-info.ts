/** What the server says of a delivery, in the subject that it wants the acknowledgement on. */
export type DeliveryInfo = {
  /** 1 for the first time. */
  delivered: number
  streamSequence: number
  /** The consumer's own count of deliveries: 1, 2, 3 … without a gap. */
  consumerSequence: number
  /** When the message was stored, milliseconds since 1970. */
  at: number
  /** How many messages the consumer has yet to deliver. */
  pending: number
}

/**
 * Servers write one of two forms:
 *
 *     $JS.ACK.                         <stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
 *     $JS.ACK.<domain>.<account hash>. <stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<random>]
 */
export function parseDeliveryInfo(ackSubject: string): DeliveryInfo {
  const tokens = ackSubject.split('.')
  const first = tokens.length === 9 ? 4 : 6
  const number = (index: number): number => Number(tokens[first + index])
  return {
    delivered: number(0),
    streamSequence: number(1),
    consumerSequence: number(2),
    // Nanoseconds need more digits than a number has.
    at: Number(tokens[first + 3]?.slice(0, -6)),
    pending: number(4),
  }
}
