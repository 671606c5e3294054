import { setTimeout as wait } from 'node:timers/promises'
import { connect } from '../clients.ts'
import { saidIn } from '../conversations.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import { NOTHING, TAKES_TIME } from '../rig.ts'

/** In the quick rounds, and at most in the full ones; those who send together send so many messages a second. */
const LOAD = { quick: 8, full: 100 }
/** A message of each sender's a second. */
const EVERY_MS = 1_000
/** How long it is found out what two nodes bear, by how many who send without a pause. */
const CAPACITY_MS = 10_000
const AT_ONCE = 32
/** So much of it is asked for in the full rounds: while one node is replaced, the other one bears it, beside the start of the next. */
const SHARE = 1 / 4
/** A stream goes on for a while, so that all readers read at any moment. */
const WORDS = 10
const BETWEEN_WORDS_MS = 150

/** R12: a new version goes out, node by node, while everybody keeps talking. Nobody is refused, and every stream comes to its end. */
export const rollingRestart: FaultProgram = {
  id: 'R12',
  title: 'nodes are replaced one by one under load',
  databases: ['postgres'],
  rounds: { quick: 2, full: 100 },
  minutes: 8,
  reply: ({ body }) => (body.stream ? replyTo(body) : NOTHING),
  async run(rig, rounds, tally) {
    const nodes = [await rig.startNode(), await rig.startNode()]
    const [first] = nodes as [PaiProcess]
    // An access token would not last as long as this does.
    const accessToken = await rig.keyFor(first, await rig.register(first))
    const load: Load = { nodes, accessToken, over: false, sent: [], cut: [] }
    const people = rounds > 2 ? await findLoad(load) : LOAD.quick
    console.log(`R12: ${people} messages a second, and ${people} streams at any moment`)
    const talking = [
      ...Array.from({ length: people }, (_, sender) => keepSending(load, sender, tally)),
      ...Array.from({ length: people }, (_, reader) => keepReading(load, reader, tally))
    ]
    for (; tally.played < rounds; tally.played++) {
      const leaving = nodes.shift() as PaiProcess
      nodes.push(await rig.startNode())
      const began = performance.now()
      const code = await leaving.stop()
      tally.recoveredMs.push(performance.now() - began)
      if (code !== 0) tally.broken.push(`a node that was told to stop ended with ${code}`)
    }
    load.over = true
    await Promise.all(talking)
    tally.broken.push(...load.cut)
    const said = await saidIn(connect((nodes[0] as PaiProcess).url, accessToken))
    const kept = new Set(said)
    tally.doubled += said.length - kept.size
    tally.lost += load.sent.filter((text) => !kept.has(text)).length
  }
}

/** A sender has its answer soon; a reader is read to for a while. */
function replyTo(body: Record<string, unknown>) {
  if (!JSON.stringify(body.messages).includes('Reader')) return TAKES_TIME()
  const later = (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, ' word'))
  return { deltas: Array.from({ length: WORDS }, (_, word) => later(word * BETWEEN_WORDS_MS)) }
}

/** As many senders, and readers, as this machine bears all along. Each reader begins a turn every few seconds. */
async function findLoad(load: Load): Promise<number> {
  const began = performance.now()
  let count = 0
  async function one(): Promise<void> {
    while (performance.now() - began < CAPACITY_MS) {
      const text = `Before ${count++}`
      const response = await ask(
        load,
        '/chat',
        { method: 'POST', headers: json, body: messageOf(text) },
        count
      )
      await response.text()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  const turnsASecond = (1_000 * count) / (performance.now() - began)
  const ofOnePair = 1_000 / EVERY_MS + 1_000 / (WORDS * BETWEEN_WORDS_MS)
  return Math.min(LOAD.full, Math.max(LOAD.quick, Math.round((SHARE * turnsASecond) / ofOnePair)))
}

const messageOf = (message: string) => JSON.stringify({ message })

interface Load {
  /** Those behind the load balancer; one that leaves is taken out before it is told to stop. */
  nodes: PaiProcess[]
  accessToken: string
  over: boolean
  sent: string[]
  /** Requests that had no answer. */
  cut: string[]
}

/**
 * Asks one of the nodes. None of them may refuse or cut it: a load balancer has taken out the one that leaves, and that ends what
 * it was asked before. Sent again, with its key, so that the others are counted on.
 */
async function ask(load: Load, path: string, init: RequestInit, first = 0): Promise<Response> {
  for (let turn = first; ; turn++) {
    const node = load.nodes[turn % load.nodes.length] as PaiProcess
    try {
      return await fetch(`${node.url}/v1${path}`, {
        ...init,
        headers: { authorization: `Bearer ${load.accessToken}`, ...init.headers }
      })
    } catch (error) {
      load.cut.push(`a request was cut off: ${(error as Error).cause ?? error}`)
      await wait(20)
    }
  }
}

const json = { 'content-type': 'application/json' }

/** Whole answers, one after the other. */
async function keepSending(load: Load, sender: number, tally: Tally): Promise<void> {
  for (let count = 0; !load.over; count++) {
    const began = performance.now()
    const text = `Sender ${sender} message ${count}`
    const init = {
      method: 'POST',
      headers: { ...json, 'idempotency-key': text },
      body: messageOf(text)
    }
    const response = await ask(load, '/chat', init, count)
    if (!response.ok) tally.broken.push(`a request answered ${response.status} ${await response.text()}`)
    else if (((await response.json()) as { status: string }).status !== 'completed') {
      tally.broken.push('a turn did not complete though its node had time to let it')
    }
    load.sent.push(text)
    tally.acknowledged++
    await wait(Math.max(0, EVERY_MS - (performance.now() - began)))
  }
}

/** Streams, resumed on another node where one is cut. */
async function keepReading(load: Load, reader: number, tally: Tally): Promise<void> {
  for (let count = 0; !load.over; count++) {
    const text = `Reader ${reader} message ${count}`
    const headers = { ...json, accept: 'text/event-stream', 'idempotency-key': text }
    const init = { method: 'POST', headers, body: messageOf(text) }
    let events = await read(await ask(load, '/chat', init, count))
    load.sent.push(text)
    tally.acknowledged++
    const { turnId } = JSON.parse(/^data: (.*)$/m.exec(events)?.[1] ?? '{}') as { turnId?: string }
    while (turnId && !events.includes('\nevent: done\n')) {
      const lastId = [...events.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '0'
      events += await read(
        await ask(load, `/turns/${turnId}/events`, { headers: { 'last-event-id': lastId } }, count)
      )
    }
    const ids = [...events.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
    if (ids.some((id, index) => id !== index + 1)) tally.broken.push(`a stream has the events ${ids}`)
    if (!events.includes('"status":"completed"')) tally.broken.push('a streamed turn did not complete')
  }
}

/** The whole events of a stream, up to where it ends or is cut. */
async function read(response: Response): Promise<string> {
  let text = ''
  try {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString()
  } catch {
    // Cut: what came whole is what counts.
  }
  return text.slice(0, text.lastIndexOf('\n\n') + 2)
}
