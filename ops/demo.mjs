// npm run demo: installs what is missing and shows on servers of its own what the daemon does, as it happens.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./demo/main.ts')
process.exit(await main())
