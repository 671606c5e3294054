import { parentPort } from 'node:worker_threads'
import Fastify from 'fastify'

// The floor of the HTTP figures: the same answer from Fastify with nothing else.
const app = Fastify()
const page = {
  items: [
    { id: 'openai:scripted', offline: false, embedder: { id: 'offline:hash-v1:512', dimensions: 512 } }
  ],
  nextCursor: null
}
app.get('/', async () => page)
parentPort?.postMessage(await app.listen({ port: 0, host: '127.0.0.1' }))
