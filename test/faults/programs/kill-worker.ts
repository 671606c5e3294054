import { setTimeout as wait } from 'node:timers/promises'
import { type Api, connect } from '../clients.ts'
import { openDatabaseOf } from '../database-of.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

/** R7: a job of a worker that died runs again within this time, the new worker's own start not counted. */
const AGAIN_MS = 30_000
/** What the model refuses, whenever it is asked. */
const POISON = 'Nobody can make anything of this.'
const REFUSAL = { status: 400, body: { error: { message: 'Nobody can', type: 'invalid_request_error' } } }
/** How long the model takes over a fact: a kill then finds the job in the middle. */
const THINKS_MS = 600
/** A worker that stands still for this long has lost its job. */
const STANDS_STILL_MS = 60_000
/** Rounds wait most of their time, so so many are played at once, each on a database of its own. */
const AT_ONCE = 8
/** What a job of somebody else may take beyond its usual time beside one that fails again and again: a few looks into the queue. */
const HELD_UP_MS = 3_000
/** A job that cannot be done is tried so often here, where the queue's own pauses would take half an hour. */
const TRIES = 3

/** R7: a worker is killed, or stands still, in the middle of a job. Another does it, and what it does is there once. */
export const killWorker: FaultProgram = {
  id: 'R7',
  title: 'a worker dies, or stands still, in the middle of a job',
  databases: ['postgres'],
  rounds: { quick: 1, full: 100 },
  needs: 'half a core',
  reply({ body }) {
    if (body.stream) return 'Noted.'
    return JSON.stringify(body).includes(POISON) ? REFUSAL : { deltas: [thinkOf(body)] }
  },
  async run(rig, rounds, tally) {
    let next = 0
    const waiting = () => (next < rounds ? next++ : undefined)
    const rigs = [rig]
    while (rigs.length < Math.min(AT_ONCE, rounds)) rigs.push(await rig.sibling())
    await Promise.all(rigs.map((one) => playOn(one, waiting, tally)))
    await poison(rig, tally)
  }
}

async function playOn(rig: Rig, waiting: () => number | undefined, tally: Tally): Promise<void> {
  const api = await rig.startNode({ PAI_ROLE: 'api' })
  for (let round = waiting(); round !== undefined; round = waiting()) {
    const owner = await rig.join(api)
    const worker = await rig.startNode({ PAI_ROLE: 'worker' })
    const asked = extractions(rig)
    await owner.send({
      key: 'one',
      text: `My sister Ada keeps ${40 + round} bees in Tromsø, for honey and for fun.`,
      conversationId: undefined,
      streams: false
    })
    tally.acknowledged++
    while (extractions(rig) === asked) await wait(10)
    if (round % 2 === 0) await killed(rig, worker, owner, tally)
    else await standingStill(rig, worker, owner, tally)
    tally.played++
  }
}

async function killed(rig: Rig, worker: PaiProcess, owner: Api, tally: Tally): Promise<void> {
  await worker.kill()
  const next = await rig.startNode({ PAI_ROLE: 'worker' })
  const began = performance.now()
  await checkRemembered(owner, began, tally)
  await next.stop()
}

/** Its job is done by another meanwhile; what it commits when it goes on must not count. */
async function standingStill(rig: Rig, worker: PaiProcess, owner: Api, tally: Tally): Promise<void> {
  worker.pause()
  const next = await rig.startNode({ PAI_ROLE: 'worker' })
  const began = performance.now()
  await checkRemembered(owner, began, tally)
  await wait(Math.max(0, STANDS_STILL_MS - (performance.now() - began)))
  const before = await historyOf(owner)
  worker.resume()
  await worker.stop()
  await next.stop()
  await countMemories(owner, tally)
  // Told once more, a fact that is known might have another proof.
  const after = await historyOf(owner)
  if (after !== before) tally.broken.push(`a late commit counted: ${after} after ${before}`)
}

async function checkRemembered(owner: Api, began: number, tally: Tally): Promise<void> {
  while ((await owner.get('/memories')).items.length === 0) {
    if (performance.now() - began > 2 * AGAIN_MS) break
    await wait(50)
  }
  const tookMs = performance.now() - began
  tally.recoveredMs.push(tookMs)
  if (tookMs > AGAIN_MS) tally.broken.push(`a job ran again only after ${Math.round(tookMs / 1_000)} s`)
  await countMemories(owner, tally)
}

/** The one memory with all that ever happened to it, and what it rests on. */
async function historyOf(owner: Api): Promise<string> {
  const [memory] = (await owner.get('/memories')).items
  return JSON.stringify([memory, await owner.get(`/memories/${memory?.id}/history`)])
}

async function countMemories(owner: Api, tally: Tally): Promise<void> {
  const { items } = await owner.get('/memories')
  if (items.length === 0) tally.lost++
  else tally.doubled += items.length - 1
}

/** A job that fails whenever it is tried is put aside, and keeps nobody else's waiting. */
async function poison(rig: Rig, tally: Tally): Promise<void> {
  const node = await rig.startNode()
  const poisoned = await rig.join(node)
  const other = await rig.join(node)
  const database = await openDatabaseOf(rig)
  // No attempt is made before the job has fewer of them ahead.
  await database.query(
    `UPDATE pgboss.queue SET retry_limit = $1, retry_delay = 1, retry_backoff = false WHERE name = 'memory.extract'`,
    [TRIES - 1]
  )
  const fresh = await rig.startNode()
  const say = { conversationId: undefined, streams: false }
  const remember = async (bees: number) => {
    const text = `My sister Ada keeps ${bees} bees in Tromsø.`
    const began = performance.now()
    await connect(fresh.url, other.accessToken).send({ key: text, text, ...say })
    tally.acknowledged++
    while (!JSON.stringify((await other.get('/memories')).items).includes(text)) {
      if (performance.now() - began > 2 * AGAIN_MS) break
      await wait(20)
    }
    return performance.now() - began
  }
  const aloneMs = await remember(7)
  const began = performance.now()
  await connect(fresh.url, poisoned.accessToken).send({ key: 'poison', text: POISON, ...say })
  tally.acknowledged++
  const asked = () => rig.model.requests.filter(({ body }) => isPoisoned(body)).length
  const besideMs = await remember(9)
  if (besideMs > 2 * aloneMs + HELD_UP_MS)
    tally.broken.push(
      `another's job took ${Math.round(besideMs)} ms beside one that fails, ${Math.round(aloneMs)} alone`
    )
  for (;;) {
    const { rows } = await database.query(`SELECT FROM pgboss.job WHERE name = 'failed-jobs'`)
    if (rows.length > 0) {
      const tries = asked()
      if (tries !== TRIES) tally.broken.push(`a job that cannot be done was tried ${tries} times of ${TRIES}`)
      break
    }
    if (performance.now() - began > 2 * AGAIN_MS) {
      tally.broken.push(`a job that cannot be done was not put aside, after ${asked()} tries`)
      break
    }
    await wait(50)
  }
}

/** How often the model was asked for what to remember. */
function extractions(rig: Rig): number {
  return rig.model.requests.filter(({ body }) => isExtraction(body)).length
}

function isPoisoned(body: Record<string, unknown>): boolean {
  return isExtraction(body) && JSON.stringify(body).includes(POISON)
}

function isExtraction(body: Record<string, unknown>): boolean {
  const format = body.response_format as { json_schema?: { name?: string } } | undefined
  return format?.json_schema?.name === 'facts'
}

/** How often the model was asked about each. */
const timesAsked = new Map<string, number>()

/**
 * The one fact of the message, after a moment; asked again, in words that are another fact. What an attempt that was given up
 * for lost brings in late is then seen: as a second memory, where the same words would have been no news.
 */
async function thinkOf(body: Record<string, unknown>): Promise<string> {
  if (!isExtraction(body)) return '{"facts":[]}'
  const [, quote = '', both] =
    /(My sister Ada keeps \d+ bees in Tromsø)(, for honey and for fun)?/.exec(JSON.stringify(body)) ?? []
  const times = timesAsked.get(quote) ?? 0
  timesAsked.set(quote, times + 1)
  const end = both ? (times === 0 ? ', for honey' : ', for fun') : ''
  await wait(THINKS_MS)
  const fact = {
    message: 1,
    saidBy: 'owner',
    subject: 'Ada',
    slot: 'hobby',
    tags: ['bees'],
    since: '',
    until: '',
    change: '',
    over: false,
    text: `${quote}${end}.`,
    category: 'relationship',
    importance: 0.7,
    importanceReason: 'close family',
    quote
  }
  return JSON.stringify({ facts: quote ? [fact] : [] })
}
