import type { Client } from 'pg'
import { type Api, connect } from '../clients.ts'
import { openDatabaseOf } from '../database-of.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import { countTogether } from './two-nodes/count-together.ts'
import { giveUpElsewhere, WAITS } from './two-nodes/give-up-elsewhere.ts'

const CONVERSATIONS = 50
const SENDERS = 20

/** R6: two nodes on one database are one service. */
export const twoNodes: FaultProgram = {
  id: 'R6',
  title: `two nodes, ${SENDERS} senders to a conversation`,
  databases: ['postgres'],
  rounds: { quick: 1, full: 22 },
  minutes: 14,
  reply: ({ body }) =>
    body.stream && JSON.stringify(body.messages).includes(WAITS)
      ? { deltas: ['Hello'], ending: 'hang' }
      : 'Noted.',
  async run(rig, rounds, tally) {
    const nodes = [await rig.startNode(), await rig.startNode()] as const
    const database = await openDatabaseOf(rig)
    for (let round = 0; round < rounds; round++, tally.played++) {
      const api = await rig.join(nodes[0])
      await sendTogether(nodes, api, database, rounds === 1 ? 5 : CONVERSATIONS, tally)
      await resumeElsewhere(nodes, api, tally)
      for (const by of ['a session', 'an API key'] as const) await giveUpElsewhere(rig, nodes, by, tally)
    }
    await countTogether(rig, tally)
  }
}

/** Many senders at once into each conversation: every message gets a number of its own, and none is left out. */
async function sendTogether(
  nodes: readonly PaiProcess[],
  api: Api & { accessToken: string },
  database: Client,
  conversations: number,
  tally: Tally
): Promise<void> {
  const apis = nodes.map(({ url }) => connect(url, api.accessToken))
  for (let conversation = 0; conversation < conversations; conversation++) {
    const key = crypto.randomUUID()
    const attempt = (text: string, conversationId?: string) => ({
      key: `${key} ${text}`,
      text,
      conversationId,
      streams: false
    })
    const { conversationId } = await api.send(attempt('Beginning'))
    const texts = Array.from({ length: SENDERS }, (_, sender) => `Sender ${sender}`)
    await Promise.all(
      texts.map((text, sender) => (apis[sender % apis.length] as Api).send(attempt(text, conversationId)))
    )
    tally.acknowledged += SENDERS + 1
    const { items } = await api.get(`/conversations/${conversationId}/messages?limit=200`)
    const said: string[] = items
      .filter(({ role }: { role: string }) => role === 'user')
      .map(({ content }: { content: string }) => content)
    tally.doubled += said.length - new Set(said).size
    tally.lost += texts.filter((text) => !said.includes(text)).length
    const replies = items.length - said.length
    if (replies !== SENDERS + 1) tally.broken.push(`${SENDERS + 1} messages have ${replies} replies`)
    const { rows } = await database.query<{ sequence: number }>(
      'SELECT sequence FROM messages WHERE conversation_id = $1 ORDER BY sequence',
      [conversationId]
    )
    if (rows.some(({ sequence }, index) => Number(sequence) !== index + 1))
      tally.broken.push(`the messages of a conversation are numbered ${rows.map(({ sequence }) => sequence)}`)
  }
}

/** A stream that began on one node is the same to the byte on the other, from every event on. */
async function resumeElsewhere(
  nodes: readonly [PaiProcess, PaiProcess],
  api: Api & { accessToken: string },
  tally: Tally
): Promise<void> {
  const { turnId } = await api.send({
    key: crypto.randomUUID(),
    text: 'Stream',
    conversationId: undefined,
    streams: true
  })
  tally.acknowledged++
  const headers = { authorization: `Bearer ${api.accessToken}` }
  const read = async ({ url }: PaiProcess, after: number) =>
    (
      await fetch(`${url}/v1/turns/${turnId}/events`, {
        headers: { ...headers, 'last-event-id': String(after) }
      })
    ).text()
  const [whole, elsewhere] = await Promise.all([read(nodes[0], 0), read(nodes[1], 0)])
  if (whole !== elsewhere) tally.broken.push('a stream differs between the nodes')
  const ends = [...whole.matchAll(/\n\n/g)].map(({ index }) => index + 2)
  for (const [index, end] of ends.slice(0, -1).entries()) {
    const rest = await read(nodes[1], index + 1)
    if (rest !== whole.slice(end)) tally.broken.push(`resumed after event ${index + 1}, a stream differs`)
  }
}
