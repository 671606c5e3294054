import { WebSocket } from 'ws'
import { connect } from '../../clients.ts'
import type { PaiProcess } from '../../pai-process.ts'
import type { Tally } from '../../program.ts'
import type { Rig } from '../../rig.ts'

/** How soon one node knows of the other. */
const KNOWN_MS = 1_000
/** A model that is told this goes on for ever. */
export const WAITS = 'Do not come to an end'

interface Credentials {
  token: string
  giveUp(): Promise<unknown>
}

/** Given up on one node, nothing goes on with them on the other: no request, no event stream, no socket. The turn does. */
export async function giveUpElsewhere(
  rig: Rig,
  [here, there]: readonly [PaiProcess, PaiProcess],
  by: 'a session' | 'an API key',
  tally: Tally
): Promise<void> {
  const { token, giveUp } = await (by === 'a session' ? signIn(rig, here) : makeKey(rig, here))
  const socket = new WebSocket(`${there.url.replace('http', 'ws')}/v1/ws`)
  const closed = new Promise<string>((resolve) => socket.on('close', (code) => resolve(String(code))))
  await new Promise((resolve) => socket.on('open', resolve))
  socket.send(JSON.stringify({ type: 'authenticate', token }))
  await new Promise((resolve) => socket.once('message', resolve))
  const { turnId } = await connect(there.url, token).send({
    key: crypto.randomUUID(),
    text: WAITS,
    conversationId: undefined,
    streams: true
  })
  tally.acknowledged++
  const headers = { authorization: `Bearer ${token}` }
  const stream = await fetch(`${there.url}/v1/turns/${turnId}/events`, { headers })
  const cut = stream.text().then(
    (text) => (text.includes('event: done') ? 'done' : 'cut'),
    () => 'cut'
  )

  await giveUp()
  const began = performance.now()
  const tooLate = new Promise<string>((resolve) => setTimeout(resolve, KNOWN_MS, 'open'))
  const [code, end] = await Promise.all([Promise.race([closed, tooLate]), Promise.race([cut, tooLate])])
  tally.recoveredMs.push(performance.now() - began)
  if (code !== '4401') tally.broken.push(`a socket on the other node is ${code} after ${by} was given up`)
  if (end !== 'cut') tally.broken.push(`an event stream on the other node is ${end} after ${by} was given up`)
  const { status } = await fetch(`${there.url}/v1/conversations`, { headers })
  if (status !== 401) tally.broken.push(`the other node answered ${status} after ${by} was given up`)
  socket.terminate()
}

/** A session of its own, so that giving it up leaves the account's other one as it is. */
async function signIn(rig: Rig, node: PaiProcess): Promise<Credentials> {
  const email = `${crypto.randomUUID()}@example.org`
  await rig.register(node, email)
  const post = (path: string, body: object) =>
    fetch(`${node.url}/v1/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  const signedIn = await post('/login', { email, password: 'bees in Tromsø' })
  const { accessToken, refreshToken } = (await signedIn.json()) as Record<string, string>
  return { token: accessToken ?? '', giveUp: () => post('/logout', { refreshToken }) }
}

async function makeKey(rig: Rig, node: PaiProcess): Promise<Credentials> {
  const { accessToken, get } = await rig.join(node)
  const key = await rig.keyFor(node, accessToken)
  const { items } = await get('/api-keys')
  const headers = { authorization: `Bearer ${accessToken}` }
  const giveUp = () => fetch(`${node.url}/v1/api-keys/${items[0].id}`, { method: 'DELETE', headers })
  return { token: key, giveUp }
}
