import { setTimeout as sleep } from 'node:timers/promises'
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { TimeoutError } from '@nats-io/transport-node'
import type { Config } from '../config.ts'
import type { Log } from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { TurnstileError } from '../errors.ts'
import { Acks } from './acks.ts'
import type { Broker } from './broker.ts'
import { type Connection, openConnection } from './connection.ts'
import { NatsEffectQueue } from './effect-queue.ts'
import { NatsMailboxes } from './mailboxes.ts'
import { NatsPublisher } from './publisher.ts'
import { NatsRequests } from './requests.ts'
import type { NatsSecurity } from './security.ts'
import { type StreamKeep, Streams } from './streams.ts'
import { Subjects } from './subjects.ts'
import { Ticker } from './ticker.ts'

export type BrokerOptions = StreamKeep & {
  /** One server or several, separated by commas. */
  url: string
  security?: NatsSecurity
  /** First word of every subject and stream name. */
  prefix: string
  partitions: number
  tracer: Pick<Tracer, 'publish'>
  log: Log
}

/** What the settings say of it. */
export const brokerSettings = (config: Config): Omit<BrokerOptions, 'tracer' | 'log'> => ({
  url: config.NATS_URL,
  security: config,
  prefix: config.TURNSTILE_PREFIX,
  partitions: config.TURNSTILE_PARTITIONS,
  eventDays: config.TURNSTILE_EVENT_DAYS,
  eventMib: config.TURNSTILE_EVENT_MIB,
  streamReplicas: config.TURNSTILE_STREAM_REPLICAS,
})

const tickMs = 200
/** A server before 2.10 counts through all that waits whenever a consumer is made, and makes one after the other. */
const apiTimeoutMs = 30_000
/** How long a start waits for JetStream, which may be choosing a leader. */
const streamsMs = 10_000

/**
 * Connects to NATS and makes the streams that are missing.
 *
 * @throws `broker-unavailable`, or `partitions-mismatch`
 */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const { url, security = {}, prefix, partitions, tracer, log, ...keep } = options
  const connection = await openConnection(url, security, prefix, log)
  const subjects = new Subjects(prefix, partitions)
  try {
    const manager = await jetstreamManager(connection.nats, { checkAPI: false, timeout: apiTimeoutMs })
    const streams = new Streams(connection.nats, manager, subjects, keep)
    await ensureStreams(streams)
    return assemble(connection, manager, streams, subjects, { tracer, log })
  } catch (error) {
    await connection.close()
    throw error
  }
}

function assemble(
  connection: Connection,
  manager: JetStreamManager,
  streams: Streams,
  subjects: Subjects,
  { tracer, log }: Pick<BrokerOptions, 'tracer' | 'log'>,
): Broker {
  const ticker = new Ticker(tickMs)
  const acks = new Acks(connection, ticker)
  const requests = new NatsRequests(connection, acks, subjects, tracer)
  const publisher = new NatsPublisher({ connection, acks, subjects, requests, ticker, tracer, log })
  const mailboxes = new NatsMailboxes(connection, manager, streams, subjects, ticker)
  const effects = new NatsEffectQueue(connection, manager, subjects, ticker, log)
  // A server can come back without its data.
  connection.on('reconnected', () => {
    streams.ensure().catch((error) => log.error({ err: error }, 'the streams cannot be put right'))
  })
  return {
    mailboxes,
    publisher,
    requests,
    effects,
    get isConnected() {
      return connection.isConnected
    },
    async close() {
      await effects.close()
      await mailboxes.close()
      publisher.close()
      acks.close()
      ticker.close()
      await connection.close()
    },
  }
}

async function ensureStreams(streams: Streams): Promise<void> {
  let last: unknown
  const deadline = sleep(streamsMs, undefined, { ref: false }).then(() => {
    throw noStreams(last ?? new Error(`it does not answer within ${streamsMs} ms`))
  })
  const attempts = async (): Promise<void> => {
    for (;;) {
      try {
        return await streams.ensure()
      } catch (error) {
        if (error instanceof TurnstileError) throw error
        if (!isPassing(error)) throw noStreams(error)
        last = error
        await sleep(250)
      }
    }
  }
  await Promise.race([attempts(), deadline])
}

const isPassing = (error: unknown): boolean =>
  error instanceof TimeoutError || (error instanceof JetStreamApiError && error.status === 503)

function noStreams(cause: unknown): TurnstileError {
  const message =
    (cause as Error).name === 'JetStreamNotEnabled'
      ? 'the NATS server runs without JetStream: start it with -js, or with a jetstream section in its configuration'
      : `JetStream does not give us our streams: ${(cause as Error).message}`
  return new TurnstileError('broker-unavailable', message, { cause })
}
