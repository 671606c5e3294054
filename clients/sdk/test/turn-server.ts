import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a server of one turn was asked. */
export interface Asked {
  call: string
  lastEventId: string | undefined
  idempotencyKey: string | undefined
  accept: string | undefined
}

export type Answer = (response: ServerResponse, lastEventId: number) => void

/** A small real server: each request gets the next of these answers, and the last one again. */
export async function startTurnServer(...answers: Answer[]) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    asked.push(describe(request))
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    answer?.(response, Number(request.headers['last-event-id'] ?? 0))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server }
}

function describe({ method, url, headers }: IncomingMessage): Asked {
  return {
    call: `${method} ${url}`,
    lastEventId: headers['last-event-id'] as string | undefined,
    idempotencyKey: headers['idempotency-key'] as string | undefined,
    accept: headers.accept
  }
}

/** Sends this text as an event stream, and then breaks the connection, or ends or leaves it. */
export function sendStream(response: ServerResponse, text: string | Buffer, then: 'cut' | 'end' | 'leave') {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (then === 'end') response.end(text)
  else if (then === 'leave') response.write(text)
  // Not before the text has been handed over, or it would be lost with the connection.
  else response.write(text, () => response.destroy())
}

export function sendProblem(response: ServerResponse, status: number, code: string) {
  response.writeHead(status, { 'content-type': 'application/problem+json' })
  response.end(JSON.stringify({ code, status, detail: 'No' }))
}
