/** Who connects to NATS: each kind of process, the people's commands, and other systems. */
export const users = ['ingress', 'worker', 'effects', 'projector', 'operator', 'eraser', 'integrator'] as const
export type User = (typeof users)[number]

export type Permissions = { publish: string[]; subscribe: string[] }

/**
 * The subjects that each needs, and no more. A user's inboxes begin with its own name, so nobody hears the answers to another.
 *
 * JetStream is asked by subjects too. What it cannot be told is which messages a consumer may select: whoever may make
 * consumers on a stream may read all of it.
 */
export function permissionsOf(user: User, prefix: string): Permissions {
  const streams = { mailbox: `${prefix}-mailbox`, effects: `${prefix}-effects`, events: `${prefix}-events` }
  const api = (request: string): string => `$JS.API.${request}`
  const look = Object.values(streams).map((stream) => api(`STREAM.INFO.${stream}`))
  const commands = `${prefix}.mbx.>`
  const dead = `${prefix}.dead.>`
  const offers = `${prefix}.offers`
  const publish: Record<User, string[]> = {
    // A request, whose answer comes to its inbox.
    ingress: [...look, commands],
    // Makes the streams, reads the mailboxes, and tells what was decided, to whoever asked too.
    worker: [
      ...look,
      ...Object.values(streams).flatMap((stream) => [api(`STREAM.CREATE.${stream}`), api(`STREAM.UPDATE.${stream}`)]),
      api(`STREAM.PURGE.${streams.mailbox}`),
      // How far each partition is, before a purge.
      api(`STREAM.MSG.GET.${streams.mailbox}`),
      api(`CONSUMER.CREATE.${streams.mailbox}.>`),
      api(`CONSUMER.DELETE.${streams.mailbox}.*`),
      ...reading(streams.mailbox),
      commands,
      `${prefix}.fx.>`,
      `${prefix}.evt.>`,
      dead,
      offers,
      inboxOf('ingress'),
      inboxOf('integrator'),
    ],
    // Reads the queues of the services, and sends outcomes back.
    effects: [
      ...look,
      api(`CONSUMER.INFO.${streams.effects}.*`),
      api(`CONSUMER.CREATE.${streams.effects}.>`),
      ...reading(streams.effects),
      commands,
      dead,
    ],
    projector: look,
    // Sends back dead letters, and what was lost.
    operator: [...look, commands, `${prefix}.fx.>`, `${prefix}.evt.>`],
    eraser: [
      ...look,
      ...Object.values(streams).map((stream) => api(`STREAM.MSG.GET.${stream}`)),
      api(`STREAM.MSG.DELETE.${streams.mailbox}`),
      api(`STREAM.MSG.DELETE.${streams.events}`),
      offers,
    ],
    // Commands to actors, and consumers of its own for the events. A server that maps subjects by its configuration, as those
    // before 2.10 have to, asks for the right to publish where a command is mapped to.
    integrator: [
      `${prefix}.cmd.*.*.*`,
      `${prefix}.mbx.*.*.*.*`,
      api('INFO'),
      api(`STREAM.INFO.${streams.events}`),
      api(`CONSUMER.CREATE.${streams.events}.>`),
      api(`CONSUMER.DURABLE.CREATE.${streams.events}.*`),
      api(`CONSUMER.INFO.${streams.events}.*`),
      api(`CONSUMER.DELETE.${streams.events}.*`),
      ...reading(streams.events),
    ],
  }
  const heard = user === 'integrator' ? [`${prefix}.evt.>`, dead] : user === 'eraser' ? [] : [offers]
  return { publish: publish[user], subscribe: [inboxOf(user), ...heard] }
}

const inboxOf = (user: User): string => `_INBOX.${user}.>`

/** Pulling, and acknowledging in the form that servers have had and in the one that newer ones have. */
function reading(stream: string): string[] {
  return [`$JS.API.CONSUMER.MSG.NEXT.${stream}.*`, `$JS.ACK.${stream}.>`, `$JS.ACK.*.*.${stream}.>`]
}

/** A part of a nats-server's configuration, to be included at the top level. */
export function configurationOf(prefix: string, passwords: Record<User, string>): string {
  const list = (subjects: string[]): string => `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`
  const lines = users.map((user) => {
    const { publish, subscribe } = permissionsOf(user, prefix)
    const permissions = `{ publish: ${list(publish)}, subscribe: ${list(subscribe)} }`
    return `    { user: ${user}, password: ${JSON.stringify(passwords[user])}, permissions: ${permissions} }`
  })
  return ['authorization {', '  users: [', ...lines, '  ]', '}', ''].join('\n')
}
