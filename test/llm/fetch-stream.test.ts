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

test('it is made once where it is sent on, and with its key only at the same server', async () => {
  const asked: unknown[] = []
  const note: RequestListener = (request, response) => {
    asked.push([request.method, request.url, request.headers.authorization, request.headers['x-one']])
    if (request.url !== '/') return void request.pipe(response)
    response.writeHead(308, { location: asked.length === 1 ? '/there' : `${other}there` }).end()
  }
  const other = await serve(note)
  const url = await serve(note)
  const headers = { authorization: 'Bearer canary', 'x-one': '1' }
  const send = () => fetchStream(url, { method: 'POST', body: '{"é":1}', headers })
  expect(await textOf(await send())).toBe('{"é":1}')
  expect(await textOf(await send())).toBe('{"é":1}')
  expect(asked).toEqual([
    ['POST', '/', 'Bearer canary', '1'],
    ['POST', '/there', 'Bearer canary', '1'],
    ['POST', '/', 'Bearer canary', '1'],
    ['POST', '/there', undefined, '1']
  ])
})

test.each([301, 302, 303])(
  'with %i, which would make another call of it, it is not sent on',
  async (status) => {
    let asked = 0
    const url = await serve((_, response) => {
      asked++
      response.writeHead(status, { location: '/there' }).end('elsewhere')
    })
    const response = await ask(url)
    expect([response.status, await response.text(), asked]).toEqual([status, 'elsewhere', 1])
  }
)

test('a call that is sent round in circles comes to an end', async () => {
  let asked = 0
  const url = await serve((_, response) => {
    asked++
    response.writeHead(307, { location: '/' }).end()
  })
  expect((await ask(url)).status).toBe(307)
  expect(asked).toBe(6)
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
