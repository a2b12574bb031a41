// npm run sim [-- --help]: installs what is missing and simulates the engine, seed by seed.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('../test/simulation/main.ts')
process.exit(await main(process.argv.slice(2)))
