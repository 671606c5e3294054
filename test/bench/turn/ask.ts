import { randomUUID } from 'node:crypto'
import { post } from '../house.ts'

const QUESTION = 'Where does my sister number 8 keep her bees?'

/** How long a turn took to be accepted, and until its first words, in milliseconds from when it was sent. */
export interface TimedTurn {
  acceptedMs: number
  firstTokenMs: number
}

/** One turn, read to its end. */
export async function timeTurn(url: string, authorization: string, useMemory = true): Promise<TimedTurn> {
  const began = performance.now()
  const response = await post(
    `${url}/v1/chat`,
    authorization,
    { message: QUESTION, useMemory },
    { accept: 'text/event-stream', 'idempotency-key': randomUUID() }
  )
  let acceptedMs = 0
  let firstTokenMs = 0
  let text = ''
  for await (const chunk of decoded(response)) {
    text += chunk
    if (!acceptedMs && text.includes('event: turn')) acceptedMs = performance.now() - began
    if (!firstTokenMs && text.includes('event: text-delta')) firstTokenMs = performance.now() - began
  }
  if (!text.includes('"status":"completed"')) throw new Error(`A turn did not complete: ${text.slice(-300)}`)
  return { acceptedMs, firstTokenMs }
}

/** The first words of the model when it is called without PAI between, in milliseconds. */
export async function timeDirect(baseUrl: string): Promise<number> {
  const began = performance.now()
  const response = await post(`${baseUrl}/chat/completions`, 'Bearer none', {
    model: 'scripted',
    stream: true,
    messages: [{ role: 'user', content: QUESTION }]
  })
  let firstTokenMs = 0
  for await (const chunk of decoded(response)) {
    if (!firstTokenMs && /"content":"[^"]/.test(chunk)) firstTokenMs = performance.now() - began
  }
  return firstTokenMs
}

async function* decoded({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  if (!body) return
  for await (const chunk of body) yield decoder.decode(chunk as Uint8Array, { stream: true })
}

/** Facts for recall to go through, as an owner of some weeks has them. */
export async function rememberSome(url: string, authorization: string): Promise<void> {
  for (let index = 0; index < 200; index++) {
    await post(`${url}/v1/memories`, authorization, {
      text: `My ${['sister', 'brother', 'friend', 'neighbour'][index % 4]} number ${index} keeps ${index * 7} bees in town ${index % 13}`
    })
  }
}
