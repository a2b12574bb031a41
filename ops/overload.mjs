// npm run overload [-- --help]: installs what is missing and offers the daemon three times what it can do, on servers of its own.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./overload/main.ts')
process.exit(await main(process.argv.slice(2)))
