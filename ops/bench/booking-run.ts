import { runClient } from './client.ts'
import { type Metered, meterCosts } from './costs.ts'
import type { Run } from './figures.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import { portOf } from './stage.ts'

export type BookingRun = Pick<Run, 'workload' | 'subject' | 'condition'> & {
  url: string
  load: Omit<LoadOptions, 'port'>
}

/** Bookings over HTTP on so many connections, each sending its next one when the last is answered. */
export async function runBookings(stage: Metered, { url, load, ...what }: BookingRun): Promise<Run> {
  const meter = meterCosts(stage)
  const options = { ...load, port: portOf({ url }) }
  const result = await runClient<LoadOptions, LoadResult>('load.ts', options, meter.begin)
  const { booked, others, seconds, cpuSeconds, ...latency } = result
  const costs = await meter.end(booked, cpuSeconds)
  return { ...what, unit: 'bookings', perSecond: booked / seconds, latency, ...costs, others, more: {} }
}
