// npm test [-- part of a path ...]: installs what is missing and runs the tests whose path has one of the parts in it.
import process from 'node:process'
import { install } from './install.mjs'

await install()
const { register } = await import('tsx/esm/api')
register()
const { runTests } = await import('./run-tests.ts')
process.exit(await runTests(process.argv.slice(2)))
