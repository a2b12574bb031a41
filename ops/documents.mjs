// npm run documents: installs what is missing and writes docs/openapi.json and docs/asyncapi.json from the code.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./documents/main.ts')
process.exit(await main())
