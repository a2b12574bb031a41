// npm run overload [-- --help]: installs and compiles what is missing, and offers the daemon three times what it can do, on servers of its own.
import process from 'node:process'
import { compile } from './compile.mjs'
import { install } from './install.mjs'

await install()
await compile()
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./overload/main.ts')
process.exit(await main(process.argv.slice(2)))
