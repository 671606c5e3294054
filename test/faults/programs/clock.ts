import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'pg'
import { WebSocket } from 'ws'
import { type Api, connect } from '../clients.ts'
import { openDatabaseOf } from '../database-of.ts'
import type { SetClock } from '../inside/clock.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

const CLOCK = join(import.meta.dirname, '..', 'inside', 'clock.ts')
const HOUR_MS = 3_600_000
/** An access token's lifetime, and how much of a quarrel between clocks may be borne. */
const LIFETIME_MS = 15 * 60_000
const LEEWAY_MS = 60_000
const MESSAGES = 4
/** A socket is asked for a sign of life every quarter of a minute: long enough to be asked under this clock. */
const ASKED_MS = 17_000
/** Within this time the queue puts right what was written under a clock that was ahead, and looks whether something is due. */
const DUE_MS = 150_000

/** What is done to the clock of a node: on the embedded database to that of the database too. */
const CLOCKS: { name: string; setBy: () => number; standsStill?: true }[] = [
  { name: 'an hour ahead', setBy: () => HOUR_MS },
  { name: 'an hour back', setBy: () => -HOUR_MS },
  { name: 'standing still', setBy: () => 0, standsStill: true },
  // Two seconds before the node's own time zone changes its hour.
  { name: 'before an hour that comes twice', setBy: () => Date.UTC(2026, 9, 25, 0, 59, 58) - Date.now() },
  { name: 'before an hour that is left out', setBy: () => Date.UTC(2026, 2, 29, 0, 59, 58) - Date.now() },
  { name: 'right again', setBy: () => 0 }
]

/** R9: clocks are set, stand still and disagree. What was said keeps its order, and nothing happens twice for it. */
export const clock: FaultProgram = {
  id: 'R9',
  title: 'clocks jump, stand still and change for summer',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 3 },
  needs: 'little',
  async run(rig, rounds, tally) {
    const settings = { TZ: 'Europe/Oslo' }
    const nodes = [await rig.startNode(settings, { inside: CLOCK })]
    if (rig.kind === 'postgres') nodes.push(await rig.startNode(settings, { inside: CLOCK }))
    const house: House = { rig, nodes, database: await openDatabaseOf(rig), tally, ids: new Set() }
    // Every minute in place of every hour, so that something is due under every clock.
    await house.database.query(`UPDATE pgboss.schedule SET cron = '* * * * *'`)
    for (; tally.played < rounds; tally.played++) {
      await playClocks(house, rounds > 1)
      await checkTokens(house)
    }
    if (rounds > 1) await wait(DUE_MS)
    await checkTicks(house, rounds > 1)
    for (const node of nodes) if (!node.isUp()) tally.broken.push('a node ended')
  }
}

interface House {
  rig: Rig
  /** The clock of the first one is set. */
  nodes: PaiProcess[]
  database: Client
  tally: Tally
  /** Every id that was given out. */
  ids: Set<string>
}

function setClock(node: PaiProcess, setBy: number, standsStill = false): Promise<number> {
  return node.ask<number>({ setBy, standsStill } satisfies SetClock)
}

async function playClocks(house: House, patiently: boolean): Promise<void> {
  const { rig, nodes, tally } = house
  const [first] = nodes as [PaiProcess]
  const key = await rig.keyFor(first, await rig.register(first))
  const apis = nodes.map((node) => connect(node.url, key))
  const asked = rig.model.requests.length
  const socket = await openSocket(first, key)
  const said: string[] = []
  let conversationId: string | undefined
  let conversations = 0
  for (const { name, setBy, standsStill } of CLOCKS) {
    const began = performance.now()
    // Under way when the clock is set.
    const text = `Under way: ${name}`
    const attempt = { key: text + tally.played, text, conversationId, streams: true }
    const underWay = await (apis[0] as Api).send(attempt)
    conversationId = underWay.conversationId
    said.push(text)
    const now = await setClock(first, setBy(), standsStill)
    await checkEnd(house, apis.at(-1) as Api, underWay.turnId, name)
    for (let count = 0; count < MESSAGES; count++) {
      const next = `Message ${count}: ${name}`
      const api = apis[count % apis.length] as Api
      const sent = { key: next + tally.played, text: next, conversationId, streams: false }
      await checkEnd(house, api, (await api.send(sent)).turnId, name)
      said.push(next)
    }
    const alone = { key: `alone ${name} ${tally.played}`, text: 'Alone', conversationId: undefined }
    await (apis[0] as Api).send({ ...alone, streams: false })
    conversations++
    tally.acknowledged += MESSAGES + 2
    await checkOrder(house, apis.at(-1) as Api, conversationId, said, name)
    await checkLists(house, apis[0] as Api, conversations + 1, name)
    if (rig.kind === 'embedded') await checkReached(house, now, name)
    if (patiently) await wait(Math.max(0, ASKED_MS - (performance.now() - began)))
    if (socket.readyState !== WebSocket.OPEN) tally.broken.push(`${name}: a socket was closed`)
  }
  socket.terminate()
  checkCalls(house, asked, said.length + conversations)
}

/** A turn ends as always, and its log has every number once. */
async function checkEnd({ tally, ids }: House, api: Api, turnId: string, name: string): Promise<void> {
  if (ids.has(turnId)) tally.broken.push(`${name}: an id was given out twice`)
  ids.add(turnId)
  const events = await api.events(turnId)
  const numbers = [...events.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  if (numbers.some((id, index) => id !== index + 1))
    tally.broken.push(`${name}: a turn has the events ${numbers}`)
  if (!/event: done\n.*"status":"completed"/.test(events))
    tally.broken.push(`${name}: a turn ended with ${events.split('event: ').at(-1)}`)
}

/** What was said comes in the order in which it was said, each after the one before. */
async function checkOrder(
  { tally, ids }: House,
  api: Api,
  conversationId: string,
  said: string[],
  name: string
): Promise<void> {
  const { items } = await api.get(`/conversations/${conversationId}/messages?limit=200`)
  const messages = items as { id: string; parentId: string | null; role: string; content: string }[]
  const kept = messages.filter(({ role }) => role === 'user').map(({ content }) => content)
  tally.lost += said.filter((text) => !kept.includes(text)).length
  tally.doubled += kept.length - new Set(kept).size
  if (kept.join() !== said.join()) tally.broken.push(`${name}: messages come in the order ${kept.join()}`)
  if (messages.some(({ parentId }, index) => parentId !== (messages[index - 1]?.id ?? null)))
    tally.broken.push(`${name}: a message does not follow the one before it`)
  for (const { id } of messages) ids.add(id)
  if (new Set(messages.map(({ id }) => id)).size !== messages.length)
    tally.broken.push(`${name}: two messages have one id`)
}

/** A list that is read page by page leaves nothing out, and shows nothing twice. */
async function checkLists({ tally }: House, api: Api, wanted: number, name: string): Promise<void> {
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await api.get(`/conversations?limit=2${cursor && `&cursor=${cursor}`}`)
    found.push(...page.items.map(({ id }: { id: string }) => id))
    cursor = page.nextCursor
  }
  if (found.length !== wanted || new Set(found).size !== wanted)
    tally.broken.push(`${name}: of ${wanted} conversations, the list has ${found.length}`)
}

/** Otherwise nothing of all this would show what it is to show. */
async function checkReached({ database, tally }: House, now: number, name: string): Promise<void> {
  const { rows } = await database.query<{ now: Date }>('SELECT now()')
  const apart = Math.abs((rows[0]?.now.getTime() ?? 0) - now)
  if (apart > LEEWAY_MS) tally.broken.push(`${name}: the database is ${apart} ms off`)
}

/** Each turn asks the model once, and what comes after it no more often than usual. */
function checkCalls({ rig, tally }: House, before: number, turns: number): void {
  const calls = rig.model.requests.slice(before)
  const replies = calls.filter(({ body }) => body.stream === true).length
  if (replies !== turns) tally.broken.push(`${turns} turns asked the model ${replies} times`)
  const others = calls.length - replies
  if (others > 2 * turns) tally.broken.push(`after ${turns} turns the model was asked ${others} times more`)
}

/** An access token is good for its time, by the clock, and one that was given up stays so whatever the clock says. */
async function checkTokens({ rig, nodes: [node], tally }: House): Promise<void> {
  if (!node) return
  const status = async (token: string) =>
    (await fetch(`${node.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status
  const check = async (token: string, wanted: number, when: string) => {
    const got = await status(token)
    if (got !== wanted) tally.broken.push(`a token ${when} was answered ${got}`)
  }
  await setClock(node, 0)
  const kept = await signIn(rig, node)
  await setClock(node, LIFETIME_MS - 10_000)
  await check(kept.accessToken, 200, 'shortly before its end')
  await setClock(node, LIFETIME_MS + LEEWAY_MS)
  await check(kept.accessToken, 401, 'a minute after its end')
  await setClock(node, 0)
  await check(kept.accessToken, 200, 'whose time came again')
  const given = await signIn(rig, node)
  await signOut(node, given)
  await check(given.accessToken, 401, 'that was given up')
  await setClock(node, HOUR_MS)
  // What is old is forgotten when something new is to be kept in mind.
  await signOut(node, await signIn(rig, node))
  await setClock(node, 0)
  await check(given.accessToken, 401, 'that was given up before the clock went ahead and back')
}

interface Session {
  accessToken: string
  refreshToken: string
}

async function signIn(rig: Rig, node: PaiProcess): Promise<Session> {
  const email = `${crypto.randomUUID()}@example.org`
  await rig.register(node, email)
  const response = await fetch(`${node.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'bees in Tromsø' })
  })
  return (await response.json()) as Session
}

async function signOut(node: PaiProcess, { refreshToken }: Session): Promise<void> {
  await fetch(`${node.url}/v1/auth/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refreshToken })
  })
}

async function openSocket(node: PaiProcess, key: string): Promise<WebSocket> {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/v1/ws`)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.send(JSON.stringify({ type: 'authenticate', token: key }))
  await new Promise((resolve) => socket.once('message', resolve))
  return socket
}

/** A moment at which something is due is noted once, by whichever node and clock; each note makes one job. */
async function checkTicks({ database, tally }: House, patiently: boolean): Promise<void> {
  const { rows } = await database.query<{ name: string; ticks: number; jobs: number }>(
    `SELECT name, (SELECT count(DISTINCT singleton_on)::int FROM pgboss.job
                    WHERE name = '__pgboss__send-it' AND data ->> 'name' = schedule.name) AS ticks,
            (SELECT count(*)::int FROM pgboss.job WHERE job.name = schedule.name AND data -> 'afterStart' IS NULL) AS jobs
       FROM pgboss.schedule`
  )
  for (const { name, ticks, jobs } of rows)
    if (jobs > ticks) tally.broken.push(`${name} has ${jobs} jobs and was due ${ticks} times`)
  if (patiently && rows.every(({ jobs }) => jobs === 0)) tally.broken.push('nothing became due')
}
