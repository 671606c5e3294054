// biome-ignore lint/suspicious/noExplicitAny: the tests read answers of every shape
type Json = any

/** A message that somebody sent, and what they know of it. */
export interface Attempt {
  key: string
  text: string
  conversationId: string | undefined
  /** How the sender listened: for the whole answer, or for events. */
  streams: boolean
  /** Set once the service has acknowledged it: its answer, or its first event, was seen. */
  turnId?: string
}

export interface Api {
  get(path: string): Promise<Json>
  /** The whole log of a turn, as it is sent, up to its end. */
  events(turnId: string): Promise<string>
  /** Sends a message, and answers as soon as it is acknowledged. */
  send(attempt: Attempt): Promise<{ turnId: string; conversationId: string }>
}

export function connect(url: string, accessToken: string): Api {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  return {
    async get(path) {
      const response = await fetch(`${url}/v1${path}`, { headers })
      if (!response.ok) throw new Error(`${path} answered ${response.status} ${await response.text()}`)
      return response.json()
    },
    async events(turnId) {
      const response = await fetch(`${url}/v1/turns/${turnId}/events`, { headers })
      return response.text()
    },
    async send({ key, text, conversationId, streams }) {
      const response = await fetch(`${url}/v1/chat`, {
        method: 'POST',
        headers: {
          ...headers,
          'idempotency-key': key,
          ...(streams ? { accept: 'text/event-stream' } : {})
        },
        body: JSON.stringify({ message: text, ...(conversationId ? { conversationId } : {}) })
      })
      if (!response.ok) throw new Error(`/chat answered ${response.status} ${await response.text()}`)
      return streams ? firstEvent(response) : ((await response.json()) as Json)
    }
  }
}

async function firstEvent(response: Response): Promise<{ turnId: string; conversationId: string }> {
  let text = ''
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString()
    const [, data] = /^id: 1\nevent: turn\ndata: ([^\n]+)\n\n/.exec(text) ?? []
    if (data) return JSON.parse(data)
  }
  throw new Error('The stream was cut before its first event')
}

/**
 * One person who sends one message after the other into a conversation of their own, until the service goes away under
 * them. Every attempt is in the list, the last one without knowing whether it arrived.
 */
export async function talkUntilCut(api: Api, name: string, onAcknowledged: () => void): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  let conversationId: string | undefined
  for (;;) {
    const text = `${name} message ${attempts.length}`
    const attempt: Attempt = { key: text, text, conversationId, streams: attempts.length % 2 === 1 }
    attempts.push(attempt)
    try {
      const acknowledged = await api.send(attempt)
      attempt.turnId = acknowledged.turnId
      conversationId = acknowledged.conversationId
      onAcknowledged()
    } catch (error) {
      if (isCut(error)) return attempts
      throw error
    }
  }
}

/** Somebody who reads each answer to its end, until the service goes away: of each turn, the words that were read. */
export async function readUntilCut(
  url: string,
  accessToken: string,
  name: string
): Promise<Map<string, string>> {
  const read = new Map<string, string>()
  for (let count = 0; ; count++) {
    const text = `${name} message ${count}`
    let events = ''
    try {
      const response = await fetch(`${url}/v1/chat`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${accessToken}`,
          'content-type': 'application/json',
          accept: 'text/event-stream',
          'idempotency-key': text
        },
        body: JSON.stringify({ message: text })
      })
      for await (const piece of response.body ?? []) {
        events += Buffer.from(piece).toString()
        const whole = [...events.matchAll(/event: (\S+)\ndata: (.*)\n\n/g)].map(([, type, data]) => ({
          type,
          data: JSON.parse(data ?? '{}')
        }))
        const words = whole.filter(({ type }) => type === 'text-delta').map(({ data }) => data.text)
        if (whole[0]) read.set(whole[0].data.turnId, words.join(''))
      }
    } catch (error) {
      if (isCut(error)) return read
      throw error
    }
    if (!events.includes('event: done')) return read
  }
}

/** fetch and its body say it in several ways, none of which is an answer of the service. */
function isCut(error: unknown): boolean {
  return (
    error instanceof TypeError || (error instanceof Error && error.message.startsWith('The stream was cut'))
  )
}
