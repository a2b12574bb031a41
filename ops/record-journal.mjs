// npm run record-journal: writes what this build decides, as the next file of test/journals. It never overwrites one.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./record-journal/main.ts')
process.exit(await main())
