// npm run bench [-- --help]: installs and compiles what is missing, and measures the daemon on servers of its own.
import process from 'node:process'
import { compile } from './compile.mjs'
import { install } from './install.mjs'

await install()
await compile()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./bench/main.ts')
process.exit(await main(process.argv.slice(2)))
