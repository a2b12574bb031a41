import { projections } from '../../src/projections/index.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { openRebuild } from '../../src/store/projections.ts'
import type { House } from './house.ts'

/** What the projector has made of the journal bit by bit is what a rebuild makes of it in one go. */
export async function judgeReadModels({ sql, postgres }: Pick<House, 'sql' | 'postgres'>): Promise<string[]> {
  const store = openRebuild({ url: postgres.url, applicationName: 'faults', deadlineMs: 60_000 })
  const columns = sql`partition, kind, id, fields::text`
  const wrong: string[] = []
  try {
    for (const projection of projections) {
      const { name } = projection
      const live = `${name}_live`
      await sql`create table ${sql(live)} as select * from ${sql(name)}`
      await rebuild(projection, store, () => {})
      const differences = await sql`
        (select ${columns} from ${sql(live)} except select ${columns} from ${sql(name)})
        union all (select ${columns} from ${sql(name)} except select ${columns} from ${sql(live)})`
      if (differences.length > 0)
        wrong.push(`${name} is not the fold of the journal: ${differences.length}: ${JSON.stringify(differences[0])}`)
    }
  } finally {
    await store.close()
  }
  return wrong
}
