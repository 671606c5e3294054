import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What a node in the middle costs at the least: asks the model for each message and hands on what it writes, as it comes.
 * Argument: the model's address.
 */
const upstream = new URL(`${process.argv[2]}/chat/completions`)

const server = createServer((asked, answer) => {
  asked.resume()
  const call = request(upstream, { method: 'POST', agent: false }, (reply) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.on('data', (piece: Buffer) => answer.write(piece))
    reply.on('end', () => answer.end())
  })
  call.end(JSON.stringify({ stream: true }))
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
