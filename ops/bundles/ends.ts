import { connect } from '@nats-io/transport-node'

type End = { success: boolean; atMs: number }

/** How each bundle ended, as an outside subscriber is told: more than one end is one too many. */
export async function watchEnds(url: string) {
  const connection = await connect({ servers: url })
  const ends = new Map<string, End[]>()
  const seen = new Set<string>()
  connection.subscribe('turnstile.evt.bundle.*.VipBundleFinalized_v1', {
    callback: (_, message) => {
      const { header, vip_bundle_id, success } = message.json<{
        header: { id: string }
        vip_bundle_id: string
        success: boolean
      }>()
      // What a worker tells again, because it cannot know whether it was heard, is the same event.
      if (seen.has(header.id)) return
      seen.add(header.id)
      ends.set(vip_bundle_id, [...(ends.get(vip_bundle_id) ?? []), { success, atMs: Date.now() }])
    },
  })
  await connection.flush()
  return { ends, close: () => connection.close() }
}
