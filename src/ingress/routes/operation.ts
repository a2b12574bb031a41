import { Problem } from '../problems.ts'
import type { Route } from '../route.ts'

const health: Route = {
  method: 'GET',
  path: '/health',
  group: 'Operation',
  summary: 'Whether the process lives',
  answer: { status: 200, description: '`ok`', type: 'text/plain; charset=utf-8' },
  problems: [],
  handle: () => 'ok',
}

const ready: Route = {
  method: 'GET',
  path: '/health/ready',
  group: 'Operation',
  summary: 'Whether to send requests here',
  answer: { status: 200, description: '`ok`', type: 'text/plain; charset=utf-8' },
  problems: ['unavailable'],
  handle({ server }) {
    const reason = server.notReadyBecause()
    if (reason !== undefined) throw new Problem('unavailable', reason)
    return 'ok'
  },
}

const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  group: 'Operation',
  summary: 'Figures for Prometheus',
  answer: { status: 200, description: 'Prometheus text', type: 'text/plain; version=0.0.4; charset=utf-8' },
  problems: [],
  handle: ({ server }) => server.metrics(),
}

/** What a process of any role serves. */
export const operationRoutes: Route[] = [health, ready, metrics]
