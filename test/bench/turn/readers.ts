import { request } from 'node:http'

/**
 * Many readers in one process: of a turn that is there (they wait), or each of a turn of its own (they note how much later
 * each token comes than it was sent). Arguments: the service, the Authorization header, how many, and the turn's id.
 */
const [url = '', authorization = '', count = '0', turnId] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const STARTED_AT_ONCE = 100

const delaysMs: number[] = []
let events = 0

function read(): Promise<void> {
  const headers = { authorization, accept: 'text/event-stream', 'content-type': 'application/json' }
  const path = turnId ? `/v1/turns/${turnId}/events` : '/v1/chat'
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers, agent: false, method: turnId ? 'GET' : 'POST' })
    asked.on('error', reject)
    asked.on('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`A reader was answered ${response.statusCode}`))
      if (turnId) response.once('data', () => resolve())
      response.on('data', (piece: Buffer) => {
        const now = performance.timeOrigin + performance.now()
        for (const [, sentAt] of piece.toString().matchAll(/<(\d+\.\d)>/g))
          delaysMs.push(now - Number(sentAt))
        events += piece.toString().split('\nevent: text-delta').length - 1
      })
      response.on('end', resolve)
    })
    asked.end(turnId ? undefined : JSON.stringify({ message: 'Hello', useMemory: false }))
  })
}

const reading: Promise<void>[] = []
for (let index = 0; index < Number(count); index++) {
  reading.push(read())
  // All at once would overflow the queue of connections that wait to be taken.
  if (index % STARTED_AT_ONCE === STARTED_AT_ONCE - 1 && turnId) await Promise.all(reading)
}
await Promise.all(reading)
console.log(turnId ? 'all are reading' : JSON.stringify({ delaysMs, events }))
