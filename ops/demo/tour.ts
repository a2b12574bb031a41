import { randomUUID } from 'node:crypto'
import type { Guide } from './guide.ts'

type Show = { seats_left: number }
type Ticket = { ticket_id: string; status: string; receipt: object | null; file_name: string | null }
type Bundle = { status: string; rollback_reason: string | null; steps: { name: string }[] }

const customer_email = 'kate@example.com'

/** Each part says what it does, shows what happens, and checks what became of it. */
export async function tour(guide: Guide): Promise<void> {
  await sellOut(guide)
  await breakAndMend(guide)
  await rollBack(guide)
}

async function sellOut({ screen, events, get, post, check, until }: Guide): Promise<void> {
  screen.heading('A show sells out')
  const show_id = await createShow(post, 6)
  screen.say('six seats; four customers want two each, all at once')
  const answers = await Promise.all(
    [1, 2, 3, 4].map(() =>
      post<{ detail?: string }>('/book-tickets', { show_id, number_of_tickets: 2, customer_email }),
    ),
  )
  const refused = answers.filter(({ status }) => status === 400)
  for (const { body } of refused) screen.say(`400 ${body.detail}`)
  check(
    'three have booked, and one was told that it is sold out',
    refused.length === 1 && answers.filter(({ status }) => status === 201).length === 3,
  )
  check('no seat is left, and none was sold twice', (await get<Show>(`/shows/${show_id}`)).seats_left === 0)
  await until('Dead Nation has confirmed all six, each has its receipt and its print', async () => {
    return ['TicketBookingConfirmed_v1', 'TicketReceiptIssued_v1', 'TicketPrinted_v1'].every(
      (name) => events.get(name) === 6,
    )
  })
}

async function breakAndMend({ screen, gateway, get, post, until }: Guide): Promise<void> {
  screen.heading('A service breaks, and is mended')
  gateway.setFaults({ receipts: { status: 503 } })
  screen.say('the receipts service answers 503 from now on')
  const show_id = await createShow(post, 10)
  const { body } = await post<{ booking_id: string }>('/book-tickets', {
    show_id,
    number_of_tickets: 1,
    customer_email,
  })
  const tickets = async (): Promise<Ticket[]> => {
    const { tickets } = await get<{ tickets: Record<string, string> }>(`/bookings/${body.booking_id}`)
    return Promise.all(Object.keys(tickets).map((id) => get<Ticket>(`/tickets/${id}`)))
  }
  await until('the ticket is confirmed and printed all the same, and waits for its receipt', async () => {
    const [ticket] = await tickets()
    return ticket !== undefined && ticket.file_name !== null && ticket.receipt === null
  })
  await until('the receipt was asked for, in vain', async () => Number(gateway.report().calls.receipts) > 6)
  gateway.setFaults({ receipts: {} })
  screen.say('the receipts service works again; nobody does anything else')
  await until('the ticket has its receipt', async () => (await tickets())[0]?.receipt !== null)
}

async function rollBack({ screen, gateway, events, get, post, check, until }: Guide): Promise<void> {
  screen.heading('A VIP bundle is rolled back')
  gateway.setFaults({ transportation: { status: 409, about: 'taxi-booking' } })
  screen.say('two flights and a taxi with two tickets; but there is no taxi left')
  const show_id = await createShow(post, 10)
  const passengers = ['Kate', 'Del']
  const order = { customer_email, passengers, number_of_tickets: 2, show_id }
  const flights = { inbound_flight_id: randomUUID(), return_flight_id: randomUUID() }
  const { body } = await post<{ vip_bundle_id: string }>('/book-vip-bundle', { ...order, ...flights })
  const bundle = () => get<Bundle>(`/vip-bundles/${body.vip_bundle_id}`)
  await until('it has ended as failed', async () => (await bundle()).status === 'failed')
  const { steps, rollback_reason } = await bundle()
  screen.say(`${steps.map(({ name }) => name).join(' → ')} → failed: ${rollback_reason}`)
  const { flight_tickets } = gateway.report() as unknown as { flight_tickets: Record<string, object> }
  check(
    'both flights were booked, and no ticket of them is left',
    events.get('FlightBooked_v1') === 2 && Object.keys(flight_tickets).length === 0,
  )
  await until('all its seats are on sale again', async () => (await get<Show>(`/shows/${show_id}`)).seats_left === 10)
  await until('the world was told once', async () => events.get('VipBundleFinalized_v1') === 1)
  gateway.setFaults({ transportation: {} })
}

async function createShow(post: Guide['post'], number_of_tickets: number): Promise<string> {
  const about = {
    dead_nation_id: randomUUID(),
    start_time: '2027-06-01T20:00:00Z',
    title: 'The Hounds of Love',
    venue: 'Lyceum',
  }
  const { body } = await post<{ show_id: string }>('/shows', { ...about, number_of_tickets })
  return body.show_id
}
