import { WebSocket } from 'ws'
import { type Api, connect } from '../clients.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

const CONVERSATIONS = 50
const SENDERS = 20
/** R6: how soon one node knows of the other. */
const KNOWN_MS = 1_000

/** R6: two nodes on one database are one service. */
export const twoNodes: FaultProgram = {
  id: 'R6',
  title: `two nodes, ${SENDERS} senders to a conversation`,
  databases: ['postgres'],
  rounds: { quick: 1, full: 12 },
  reply: () => 'Noted.',
  async run(rig, rounds, tally) {
    const nodes = [await rig.startNode(), await rig.startNode()] as const
    for (let round = 0; round < rounds; round++, tally.played++) {
      const api = await rig.join(nodes[0])
      await sendTogether(nodes, api, rounds === 1 ? 5 : CONVERSATIONS, tally)
      await resumeElsewhere(nodes, api, tally)
      await signOutElsewhere(rig, nodes, tally)
    }
  }
}

/** Many senders at once into each conversation: every message gets a number of its own, and none is left out. */
async function sendTogether(
  nodes: readonly PaiProcess[],
  api: Api & { accessToken: string },
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
  const events = whole.split('\n\n').length - 1
  for (let after = 1; after < events; after++) {
    const rest = await read(nodes[1], after)
    if (!whole.endsWith(rest)) tally.broken.push(`resumed after event ${after}, a stream differs`)
  }
}

/** Signed out on one node, nothing goes on on the other: no request, no event stream, no socket. */
async function signOutElsewhere(
  rig: Rig,
  [here, there]: readonly [PaiProcess, PaiProcess],
  tally: Tally
): Promise<void> {
  const email = `${crypto.randomUUID()}@example.org`
  await rig.register(here, email)
  const response = await fetch(`${here.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'bees in Tromsø' })
  })
  const { accessToken, refreshToken } = (await response.json()) as Record<string, string>
  const socket = new WebSocket(`${there.url.replace('http', 'ws')}/v1/ws`)
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise((resolve) => socket.on('open', resolve))
  socket.send(JSON.stringify({ type: 'authenticate', token: accessToken }))
  await new Promise((resolve) => socket.once('message', resolve))
  await fetch(`${here.url}/v1/auth/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refreshToken })
  })
  const began = performance.now()
  const code = await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, KNOWN_MS, 'open'))])
  tally.recoveredMs.push(performance.now() - began)
  if (code !== 4401) tally.broken.push(`a socket on the other node is ${code} after signing out`)
  const { status } = await fetch(`${there.url}/v1/me`, {
    headers: { authorization: `Bearer ${accessToken}` }
  })
  if (status !== 401) tally.broken.push(`the other node answered ${status} to who is signed out`)
  socket.terminate()
}
