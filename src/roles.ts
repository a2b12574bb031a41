import { TurnstileError } from './errors.ts'

/** What one process does. All of it on a laptop; on a cluster each in a Deployment of its own. */
export const roles = ['ingress', 'worker', 'effects', 'projector'] as const
export type Role = (typeof roles)[number]

/** Parses `ingress,worker`. */
export function parseRoles(list: string): Role[] {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !roles.includes(name as Role))
  if (unknown.length > 0) {
    const choice = roles.join(', ')
    throw new TurnstileError('config-invalid', `--roles knows no ${unknown.join(', ')}; choose from ${choice}`)
  }
  return names as Role[]
}
