import { randomBytes } from 'node:crypto'
import type postgres from 'postgres'

export const groups = ['ingress', 'worker', 'effects', 'projector', 'operator', 'archiver', 'eraser'] as const
export type Group = (typeof groups)[number]

/** A login in each of the groups that `turnstile migrate --grants` makes. @returns where each connects to */
export async function makeLogins(sql: postgres.Sql, url: string) {
  const suffix = randomBytes(4).toString('hex')
  const urls = {} as Record<Group, string>
  for (const group of groups) {
    const login = new URL(url)
    login.username = `${group}_${suffix}`
    login.password = 'secret'
    await sql.unsafe(`create role ${login.username} login password 'secret' in role turnstile_${group}`)
    urls[group] = login.href
  }
  return {
    urls,
    async drop() {
      for (const group of groups)
        await sql.unsafe(`drop owned by ${group}_${suffix}; drop role ${group}_${suffix}`).simple()
    },
  }
}
