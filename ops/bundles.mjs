// npm run bundles [-- --help]: installs what is missing and puts many VIP bundles through faulty services of its own.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./bundles/main.ts')
process.exit(await main(process.argv.slice(2)))
