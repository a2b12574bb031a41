import { Problem } from '../problems.ts'
import type { Route } from '../route.ts'

export const health: Route = {
  method: 'GET',
  path: '/health',
  group: 'Operation',
  roles: 'anyone',
  summary: 'Whether the process lives',
  answer: { status: 200, description: '`ok`', type: 'text/plain; charset=utf-8' },
  problems: [],
  handle: () => 'ok',
}

export const ready: Route = {
  method: 'GET',
  path: '/health/ready',
  group: 'Operation',
  roles: 'anyone',
  summary: 'Whether to send requests here',
  answer: { status: 200, description: '`ok`', type: 'text/plain; charset=utf-8' },
  problems: ['unavailable'],
  handle({ server }) {
    const reason = server.notReadyBecause()
    if (reason !== undefined) throw new Problem('unavailable', reason)
    return 'ok'
  },
}

export const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  group: 'Operation',
  roles: ['operator'],
  summary: 'Figures for Prometheus',
  answer: { status: 200, description: 'Prometheus text', type: 'text/plain; version=0.0.4; charset=utf-8' },
  problems: [],
  handle: ({ server }) => server.metrics(),
}

/** The same where only operators reach the port: Prometheus needs no key then. */
export const openMetrics: Route = { ...metrics, roles: 'anyone' }
