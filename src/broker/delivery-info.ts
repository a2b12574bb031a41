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
  const [delivered, stream, consumer, time, pending] = tokens.slice(tokens.length === 9 ? 4 : 6)
  return {
    delivered: Number(delivered),
    streamSequence: Number(stream),
    consumerSequence: Number(consumer),
    // Nanoseconds need more digits than a number has.
    at: Number(time?.slice(0, -6)),
    pending: Number(pending),
  }
}
