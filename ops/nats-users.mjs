// npm run nats-users [-- --help]: writes NATS users with the least permissions for each kind of process.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./nats/main.ts')
process.exit(main(process.argv.slice(2), (text) => process.stdout.write(text)))
