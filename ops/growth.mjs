// npm run growth [-- --help]: installs what is missing and measures what a booking takes on the disk, on servers of its own.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./growth/main.ts')
process.exit(await main(process.argv.slice(2)))
