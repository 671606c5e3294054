import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { bodyOf, fetchStream } from '../../src/llm/fetch-stream.ts'

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const ask = (url: string, signal?: AbortSignal) =>
  fetchStream(url, { method: 'POST', body: '{"é":1}', headers: { 'x-one': '1' }, ...(signal && { signal }) })

async function textOf(response: Response): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of bodyOf(response)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

test('a call is sent as it is, and answered with its status, its headers and its body', async () => {
  const url = await serve((request, response) => {
    response.writeHead(201, { 'x-answer': request.headers['x-one'] })
    request.pipe(response)
  })
  const response = await ask(url)
  expect([response.status, response.headers.get('x-answer')]).toEqual([201, '1'])
  expect(await textOf(response)).toBe('{"é":1}')
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync]
])('what a proxy has compressed as %s is read all the same', async (encoding, compress) => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-encoding': encoding })
    response.end(compress('Hello'))
  })
  expect(await textOf(await ask(url))).toBe('Hello')
})

test('a call is sent on to where the server says', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/') response.writeHead(307, { location: '/there' }).end()
    else request.pipe(response)
  })
  expect(await textOf(await ask(url))).toBe('{"é":1}')
})

test('a refusal is read as of any response', async () => {
  const url = await serve((_, response) => void response.writeHead(429, { 'retry-after': '7' }).end('later'))
  const response = await ask(url)
  expect([response.ok, response.headers.get('retry-after'), await response.text()]).toEqual([
    false,
    '7',
    'later'
  ])
})

test('nobody there, a connection cut before the answer, and one within it, are failures', async () => {
  await expect(ask('http://127.0.0.1:1/')).rejects.toThrow()
  const cut = await serve((_, response) => response.socket?.destroy())
  await expect(ask(cut)).rejects.toThrow()
  const within = await serve((_, response) => {
    response.write('a', () => response.socket?.destroy())
  })
  const response = await ask(within)
  await expect(textOf(response)).rejects.toThrow()
})

test('a call that is given up lets go of the server, before the answer and within it', async () => {
  const closed = Promise.withResolvers<void>()
  const url = await serve((_, response) => {
    response.write('a')
    response.on('close', () => closed.resolve())
  })
  const leaving = new AbortController()
  const response = await ask(url, leaving.signal)
  leaving.abort()
  await closed.promise
  await expect(textOf(response)).rejects.toThrow()
  await expect(ask(url, leaving.signal)).rejects.toThrow()
})
