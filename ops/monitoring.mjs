// npm run monitoring: installs what is missing and writes dashboards, alert rules and the tables of metrics anew.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./monitoring/main.ts')
process.exit(main())
