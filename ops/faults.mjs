// npm run faults [-- --help]: installs what is missing and breaks everything that the daemon stands on, on servers of its own.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('../test/faults/main.ts')
process.exit(await main(process.argv.slice(2)))
