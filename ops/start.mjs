// npm start [-- --fresh | --help]: installs what is missing and runs the daemon with everything that it needs.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./sandbox/main.ts')
process.exit(await main(process.argv.slice(2)))
