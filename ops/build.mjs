// npm run build: installs what is missing and compiles the daemon into dist, which needs neither TypeScript nor tsx to run.
import { compile } from './compile.mjs'
import { install } from './install.mjs'

await install()
await compile()
