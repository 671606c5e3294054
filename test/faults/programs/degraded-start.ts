import { connect } from '../clients.ts'
import type { FaultProgram, Tally } from '../program.ts'

const QUESTION = 'Where does my sister Ada keep her bees?'

/** R21: PAI starts with a provider that is away, without a key, or with other vectors than it had, and serves what it can. */
export const degradedStart: FaultProgram = {
  id: 'R21',
  title: 'a start without a provider, without a key, with other vectors',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 3 },
  async run(rig, rounds, tally) {
    let accessToken = ''
    const away = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }
    const starts: [name: string, settings: Record<string, string>, code: string | null][] = [
      ['as always', {}, null],
      ['a provider that is away', away, 'PAI_MODEL_UNREACHABLE'],
      ['an embedder that is away', { ...away, PAI_EMBEDDING_MODEL: 'bge-m3' }, 'PAI_MODEL_UNREACHABLE'],
      ['an empty key', { OPENAI_BASE_URL: '', OPENAI_API_KEY: '', PAI_CHAT_MODEL: 'offline' }, null],
      ['shorter vectors', { PAI_EMBEDDING_DIMENSIONS: '256' }, null],
      ['the vectors of before', {}, null]
    ]
    for (let round = 0; round < rounds; round++, tally.played++) {
      for (const [name, settings, code] of starts) {
        const began = performance.now()
        const node = await rig.startNode(settings)
        tally.recoveredMs.push(performance.now() - began)
        accessToken ||= await begin(node.url, await rig.register(node))
        await ask(node.url, accessToken, name, code, tally)
        await checkSaid(node.url, accessToken, name, settings, tally)
        if ((await node.stop()) !== 0) tally.broken.push(`${name}: it did not stop well`)
      }
    }
  }
}

/** Something to remember; answers the access token. */
async function begin(url: string, accessToken: string): Promise<string> {
  await post(url, accessToken, '/memories', { text: 'My sister Ada keeps bees in Tromsø' })
  return accessToken
}

/** Recall finds what it has always found, and a turn ends as it can: with words, or with the provider's error. */
async function ask(url: string, accessToken: string, name: string, code: string | null, tally: Tally) {
  const { items } = await post(url, accessToken, '/memories/search', { query: QUESTION })
  if (items.length !== 1) tally.broken.push(`${name}: a search finds ${items.length} memories`)
  const turn = await post(url, accessToken, '/chat', { message: QUESTION })
  tally.acknowledged++
  if ((turn.error?.code ?? null) !== code) tally.broken.push(`${name}: a turn ended with ${turn.error?.code}`)
  const kept = await connect(url, accessToken).get(`/conversations/${turn.conversationId}/messages`)
  if (kept.items[0]?.content !== QUESTION) tally.lost++
}

/** It says what it works with: whether that is a model at all, and which vectors. */
async function checkSaid(
  url: string,
  accessToken: string,
  name: string,
  settings: Record<string, string>,
  tally: Tally
): Promise<void> {
  const isOffline = settings.PAI_CHAT_MODEL === 'offline'
  const { items } = await connect(url, accessToken).get('/models')
  const [{ id, offline, embedder }] = items
  const wanted = settings.PAI_EMBEDDING_MODEL ?? 'offline'
  if (offline !== isOffline || (id === 'offline') !== isOffline || !embedder.id.includes(wanted))
    tally.broken.push(`${name}: it says that it works with ${id} and ${embedder.id}`)
  const { status } = await fetch(`${url}/readyz`)
  if (status !== 200) tally.broken.push(`${name}: it says that it is not ready, with ${status}`)
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are read
async function post(url: string, accessToken: string, path: string, body: object): Promise<any> {
  const response = await fetch(`${url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return response.json()
}
