// node ops/services.mjs --port N --host ADDRESS --daemon URL: installs what is missing and simulates the external services.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./services/main.ts')
process.exit(await main(process.argv.slice(2)))
