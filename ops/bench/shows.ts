/**
 * Creates so many shows with so many seats each, at once.
 *
 * @param url of the daemon
 */
export async function createShows(url: string, { shows, seats }: { shows: number; seats: number }): Promise<string[]> {
  const body = JSON.stringify({
    dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
    number_of_tickets: seats,
    start_time: '2027-01-01T20:00:00Z',
    title: 'The Hounds of Love',
    venue: 'Lyceum',
  })
  const create = async (): Promise<string> => {
    const response = await fetch(`${url}/shows`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
    })
    const { show_id } = (await response.json()) as { show_id?: string }
    if (show_id === undefined) throw new Error(`POST /shows was answered with ${response.status}`)
    return show_id
  }
  return Promise.all(Array.from({ length: shows }, create))
}
