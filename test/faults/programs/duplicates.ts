import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'

const SENDERS = 100

/** R5: a client that retries as if there were no tomorrow. One key is one turn, on whichever nodes its requests arrive. */
export const duplicates: FaultProgram = {
  id: 'R5',
  title: `${SENDERS} requests at once with one key`,
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 10 },
  async run(rig, rounds, tally) {
    const nodes = [await rig.startNode()]
    if (rig.kind === 'postgres') nodes.push(await rig.startNode())
    const [first] = nodes as [PaiProcess]
    const api = await rig.join(first)
    const stranger = await rig.join(first)
    for (let round = 0; round < rounds; round++, tally.played++) {
      const before = chatCalls(rig.model.requests)
      const answers = await Promise.all(
        Array.from({ length: SENDERS }, (_, index) =>
          send(nodes[index % nodes.length] as PaiProcess, api.accessToken, `key ${round}`, `Message ${round}`)
        )
      )
      check(answers, tally)
      tally.doubled += chatCalls(rig.model.requests) - before - 1
      const { status } = await send(first, api.accessToken, `key ${round}`, 'Something else')
      if (status !== 422) tally.broken.push(`another body under the same key answered ${status}`)
      // A key is its owner's: the same one stands for nothing of anybody else's.
      const strangers = await send(first, stranger.accessToken, `key ${round}`, `Message ${round}`)
      tally.acknowledged++
      if (strangers.status !== 200 || answers.some(({ body }) => body === strangers.body))
        tally.broken.push(`another owner's turn under the same key answered ${strangers.status}`)
    }
    for (const one of [api, stranger]) {
      const { items } = await one.get('/conversations?limit=200')
      tally.doubled += items.length - rounds
    }
  }
}

interface Answer {
  status: number
  body: string
}

async function send(node: PaiProcess, accessToken: string, key: string, message: string): Promise<Answer> {
  const response = await fetch(`${node.url}/v1/chat`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      'idempotency-key': key
    },
    body: JSON.stringify({ message })
  })
  return { status: response.status, body: await response.text() }
}

function check(answers: Answer[], tally: Tally): void {
  const bodies = new Set(answers.map(({ body }) => body))
  for (const { status, body } of answers) {
    if (status !== 200) tally.broken.push(`a request answered ${status}: ${body.slice(0, 200)}`)
  }
  // However many were answered, it is one turn.
  if (answers.some(({ status }) => status === 200)) tally.acknowledged++
  if (bodies.size > 1) tally.broken.push(`${bodies.size} different answers to one key`)
}

/** Replies that were asked for; other calls of the model are for memory. */
function chatCalls(requests: { path: string; body: Record<string, unknown> }[]): number {
  return requests.filter(({ path, body }) => path === '/v1/chat/completions' && body.stream === true).length
}
