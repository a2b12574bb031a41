import type { Addresses } from './servers.ts'

/** What is printed once everything runs: where it is, and three lines to paste. */
export function readyBlock(addresses: Addresses, httpUrl: string, dataFolder: string): string {
  const show = {
    dead_nation_id: '6f6f2d1c-0c1e-4b7e-9f2a-3d1f6f0c8a11',
    number_of_tickets: 100,
    start_time: '2030-05-01T20:00:00Z',
    title: 'Opening night',
    venue: 'Town hall',
  }
  const post = (route: string): string => `curl -s ${httpUrl}${route} -H 'Content-Type: application/json'`
  return `
Turnstile is ready.

  HTTP      ${httpUrl}  (its reference: ${httpUrl}/docs)
  NATS      ${withoutPassword(addresses.NATS_URL)}
  Postgres  ${withoutPassword(addresses.POSTGRES_URL)}
  Services  ${addresses.GATEWAY_ADDR}
  Data      ${dataFolder}

Create a show, book tickets, look at the show:

  SHOW=$(${post('/shows')} -d '${JSON.stringify(show)}' | sed 's/.*"show_id": *"\\([^"]*\\)".*/\\1/')
  ${post('/book-tickets')} -d '{"show_id":"'$SHOW'","number_of_tickets":3,"customer_email":"ada@example.com"}' -w '\\n'
  curl -s ${httpUrl}/shows/$SHOW -w '\\n'

Ctrl-C stops everything.
`
}

function withoutPassword(urls: string): string {
  return urls.replaceAll(/\/\/([^:@/]*):[^@/]*@/g, '//$1:***@')
}
