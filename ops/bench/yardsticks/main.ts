/** One of the yardsticks as a process of its own: `main.ts begin-commit` or `main.ts one-statement`. */
import process from 'node:process'
import postgres from 'postgres'
import { createApp } from './app.ts'
import { bookInOneStatement, bookInTransaction } from './booking.ts'
import { createTables } from './tables.ts'

const books = { 'begin-commit': bookInTransaction, 'one-statement': bookInOneStatement }

const { POSTGRES_URL = '', PORT, POOL } = process.env
const sql = postgres(POSTGRES_URL, { max: Number(POOL), onnotice: () => {} })
await createTables(sql)
const app = createApp(sql, books[process.argv[2] as keyof typeof books])
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
process.once('SIGTERM', async () => {
  await app.close()
  await sql.end()
})
