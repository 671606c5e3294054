import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

/** A model that writes at a steady rate, each token with the moment it was sent; or one that never says a word. */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '10' },
    silent: { type: 'boolean', default: false }
  }
})

const server = createServer(async (request, response) => {
  let body = ''
  for await (const piece of request) body += piece
  if (!request.url?.endsWith('/chat/completions') || !JSON.parse(body).stream) {
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.end('{"choices":[{"message":{"content":"{\\"facts\\":[]}"}}]}')
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  if (values.silent) return
  const choice = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  let left = Number(values.rate) * Number(values.seconds)
  const timer = setInterval(() => {
    response.write(choice({ content: `<${(performance.timeOrigin + performance.now()).toFixed(1)}>` }))
    if (--left > 0) return
    clearInterval(timer)
    response.end(`${choice({}, 'stop')}data: [DONE]\n\n`)
  }, 1_000 / Number(values.rate))
  response.on('close', () => clearInterval(timer))
})
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`)
)
