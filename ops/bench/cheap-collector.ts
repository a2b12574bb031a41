/** Takes traces and throws them away: `cheap-collector.ts PORT`. It costs as little as it can, because it would run elsewhere. */
import http from 'node:http'
import process from 'node:process'

http
  .createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'))
  })
  .listen(Number(process.argv[2]), '127.0.0.1')
