import { z } from 'zod'
import { bookingCommands } from '../../schemas/booking.ts'
import { id, timestamp } from '../../schemas/values.ts'
import type { Actor } from '../../src/actor/actor.ts'

const orders = z.object({
  at: timestamp,
  booking_ids: z.array(id),
  wish: bookingCommands.BookShowTickets.omit({ type: true, booking_id: true }),
})
type Orders = z.infer<typeof orders>

type State = { waiting: Orders | null; turns: number }
type Command =
  | ({ type: 'OrderLater' } & Orders)
  | { type: 'Withdraw' }
  | { type: 'Order' }
  | { type: 'Fail' }
  | { type: 'Poison' }
type Event = ({ type: 'OrderedLater_v1' } & Orders) | { type: 'Withdrawn_v1' } | { type: 'Ordered_v1' }

const nothingBut = <T extends string>(type: T) => z.object({ type: z.literal(type) })

/**
 * An actor that lives in the simulation alone, for what the others seldom do: an agent books for many at a given time, by an
 * alarm and in more turns than fit into a batch; it can fail; and the database refuses its turn on `Poison`.
 */
export const agent: Actor<State, Command, Event> = {
  kind: 'agent',
  schemas: {
    state: z.strictObject({ waiting: orders.nullable(), turns: z.number() }),
    messages: {
      OrderLater: nothingBut('OrderLater').extend(orders.shape),
      Withdraw: nothingBut('Withdraw'),
      Order: nothingBut('Order'),
      Fail: nothingBut('Fail'),
      Poison: nothingBut('Poison'),
    },
    events: {
      OrderedLater_v1: nothingBut('OrderedLater_v1').extend(orders.shape),
      Withdrawn_v1: nothingBut('Withdrawn_v1'),
      Ordered_v1: nothingBut('Ordered_v1'),
    },
  },
  initial: { waiting: null, turns: 0 },
  decide: {
    OrderLater: (_, { type: __, ...later }, { id }) => ({
      events: [{ type: 'OrderedLater_v1', ...later }],
      reply: { ok: { agent_id: id } },
    }),
    Withdraw: (_, __, { id }) => ({ events: [{ type: 'Withdrawn_v1' }], reply: { ok: { agent_id: id } } }),
    Order({ waiting }, _, { at }) {
      if (!waiting) return { ignore: 'nothing is to be ordered' }
      if (at < waiting.at) throw new Error(`rung at ${at}, before ${waiting.at}`)
      const { booking_ids, wish } = waiting
      const command = { type: 'BookShowTickets' as const, ...wish }
      return { events: [{ type: 'Ordered_v1' }], then: booking_ids.map((id) => ({ send: 'booking', id, command })) }
    },
    Fail() {
      throw new Error('as it was told')
    },
    Poison: (_, __, { id }) => ({ events: [{ type: 'Withdrawn_v1' }], reply: { ok: { agent_id: id } } }),
  },
  evolve: {
    OrderedLater_v1: ({ turns }, { type: _, ...waiting }) => ({ waiting, turns: turns + 1 }),
    Withdrawn_v1: ({ turns }) => ({ waiting: null, turns: turns + 1 }),
    Ordered_v1: ({ turns }) => ({ waiting: null, turns: turns + 1 }),
  },
  alarm: ({ waiting }) => (waiting ? { at: waiting.at, command: { type: 'Order' } } : undefined),
}
