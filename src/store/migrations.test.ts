import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const folder = new URL('./migrations/', import.meta.url)

/** How the first line of a migration begins that the version before cannot run with. It goes on with why. */
const notice = /^-- Not beside earlier versions: \S/

/** Functions are bodies of their own: what they take away, they take away when they are called. */
const takesAway = (text: string): boolean =>
  /\bdrop (table|column|constraint|function)\b|\brename (to|column)\b|\balter column\b|\badd column (?![^;,]*default)[^;,]*not null\b/i.test(
    text.replaceAll(/\$\$[\s\S]*?\$\$|--.*$/gm, '').replaceAll(/\s+/g, ' '),
  )

test('a migration takes nothing away that the version before needs, or says so in its first line', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  assert.ok(names.length > 0)
  for (const name of names) {
    const text = readFileSync(new URL(name, folder), 'utf8')
    assert.ok(!takesAway(text) || notice.test(text), `${name} takes something away: begin it with ${notice.source}`)
  }
})

test('what takes something away is found', () => {
  for (const text of [
    'drop table turn;',
    'alter table turn\n  drop column meta;',
    'alter table turn rename to journal;',
    'alter table turn alter column at type date;',
    'alter table turn add column who text not null;',
  ])
    assert.ok(takesAway(text), text)
  for (const text of [
    'create table turn (at date not null);',
    'alter table turn add column who text;',
    "alter table turn add column who text not null default '';",
    '-- drop table turn\ncreate function f() returns void language sql as $$ drop table t $$;',
  ])
    assert.ok(!takesAway(text), text)
})
