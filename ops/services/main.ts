import { parseArgs } from 'node:util'
import { startGateway } from '../sandbox/gateway.ts'
import { interrupted } from '../sandbox/interrupt.ts'

const help = `node ops/services.mjs [options]: the external services, simulated, without anything else. GET / shows what they received.

  --port N        where they listen (28080)
  --host ADDRESS  on which address (127.0.0.1)
  --daemon URL    the daemon, which Dead Nation calls back (http://127.0.0.1:8080)
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '28080' },
      host: { type: 'string', default: '127.0.0.1' },
      daemon: { type: 'string', default: 'http://127.0.0.1:8080' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const services = await startGateway({ port: Number(values.port), host: values.host, daemonUrl: values.daemon })
  process.stdout.write(`the simulated services listen on ${values.host}:${values.port}\n`)
  await interrupted()
  await services.close()
  return 0
}
