import { setTimeout as wait } from 'node:timers/promises'
import { type Api, type Attempt, connect, readUntilCut, talkUntilCut } from '../clients.ts'
import { saidIn, unfinishedTurns } from '../conversations.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import { NOTHING, type Rig, TAKES_TIME } from '../rig.ts'

const CLIENTS = 8
/** A kill comes within this time of the first acknowledgement of its round. */
const KILL_WITHIN_MS = 300
/** R1: no turn is left under way this long after. */
const ENDED_MS = 60_000
/** Of what a model said, so much of the end may be lost. */
const LOST_MS = 1_000
/** A reader's answer takes longer than that; in every so many rounds the kill waits for it. */
const LONG = { words: 60, betweenMs: 50, killedAfterMs: 1_500, everyRounds: 10 }
const isEnd = (status: string) => status === 'completed' || status === 'interrupted'
/** When each word went out to the reader of a round. */
const said = new Map<string, number[]>()

/** R1: kill -9 at random points of streams. What was acknowledged is there, once, and every turn comes to an end. */
export const killNode: FaultProgram = {
  id: 'R1',
  title: 'kill -9 at random points of streams',
  databases: ['postgres', 'embedded'],
  // Two hundred in all.
  rounds: { quick: 3, full: 100 },
  minutes: 8,
  // As long as a kill may take to come, so that it meets turns under way.
  reply: ({ body }) => {
    if (!body.stream) return NOTHING
    // Only who asks: what is recalled for the others, and stands before their words, may be the reader's.
    const { content } = (body.messages as { content: string }[]).at(-1) ?? {}
    const [, reader] = /(Round \d+, reader), message \d+$/.exec(content ?? '') ?? []
    return reader && !said.has(reader) ? sayLong(reader) : TAKES_TIME(KILL_WITHIN_MS / 3)
  },
  async run(rig, rounds, tally) {
    // Where there can be two nodes, the other one goes on serving, and the people turn to it.
    const survivor = rig.kind === 'postgres' ? await rig.startNode() : null
    let node = await rig.startNode()
    // An access token would not last as long as this does.
    const accessToken = await rig.keyFor(node, await rig.register(node))
    const turnIds: string[] = []
    const read = new Map<string, string>()
    for (let round = 0; round < rounds; round++, tally.played++) {
      const reader = `Round ${round}, reader`
      const reading = readUntilCut(node.url, accessToken, `${reader},`)
      const isLong = round % LONG.everyRounds === 0
      const { attempts, killedAt } = await talkAndKill(rig, node, accessToken, `Round ${round}`, isLong)
      for (const [index, [turnId, words]] of [...(await reading)].entries()) {
        const due = index === 0 ? wordsBefore(reader, killedAt - LOST_MS) : ''
        read.set(turnId, words.length > due.length ? words : due)
      }
      const began = performance.now()
      const next = rig.startNode()
      const api = connect((survivor ?? (await next)).url, accessToken)
      await sendAllAgain(api, attempts, tally)
      tally.recoveredMs.push(performance.now() - began)
      turnIds.push(...attempts.flatMap(({ turnId }) => turnId ?? []))
      node = await next
    }
    const api = connect(survivor?.url ?? node.url, accessToken)
    const messages = await saidIn(api)
    tally.doubled += messages.length - new Set(messages).size
    const deadline = performance.now() + ENDED_MS
    while ((await unfinishedTurns(api)).length > 0) {
      if (performance.now() > deadline) {
        tally.broken.push(`turns are still under way ${ENDED_MS / 1_000} s after the last kill`)
        break
      }
      await wait(200)
    }
    await checkWords(api, read, tally)
    const ends = new Map<string, string>()
    for (const turnId of turnIds) ends.set((await api.get(`/turns/${turnId}`)).status, turnId)
    const statuses = [...ends.keys()]
    if (!ends.has('completed') || !ends.has('interrupted'))
      tally.broken.push(`no kill has met a turn under way: ${statuses.join(', ')}`)
    if (!statuses.every(isEnd)) tally.broken.push(`turns ended ${statuses.join(', ')}`)
    const interrupted = ends.get('interrupted')
    if (interrupted) await goOn((survivor ?? node).url, accessToken, interrupted, tally)
  }
}

/** Where a turn was broken off it can go on. */
async function goOn(url: string, accessToken: string, turnId: string, tally: Tally): Promise<void> {
  const response = await fetch(`${url}/v1/turns/${turnId}/continue`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}` }
  })
  const { status } = (await response.json()) as { status?: string }
  if (status !== 'completed') tally.broken.push(`an interrupted turn that goes on is ${status}`)
}

const wordOf = (index: number) => `word${index} `

function sayLong(reader: string) {
  const times: number[] = []
  said.set(reader, times)
  const later = (index: number) =>
    new Promise<string>((resolve) =>
      setTimeout(() => {
        times[index] = performance.now()
        resolve(wordOf(index))
      }, index * LONG.betweenMs)
    )
  return { deltas: Array.from({ length: LONG.words }, (_, index) => later(index)) }
}

/** What a model had said to a reader by then. */
function wordsBefore(reader: string, moment: number): string {
  const due = (said.get(reader) ?? []).filter((at) => at < moment).length
  return Array.from({ length: due }, (_, index) => wordOf(index)).join('')
}

/** What somebody has read of an answer is kept, whatever became of it. */
async function checkWords(api: Api, read: Map<string, string>, tally: Tally): Promise<void> {
  for (const [turnId, words] of read) {
    const { status, message } = await api.get(`/turns/${turnId}`)
    const kept: string = message?.content ?? ''
    tally.acknowledged++
    if (!kept.startsWith(words))
      tally.broken.push(`of a turn (${status}) "${words}" was read, and "${kept}" is kept`)
  }
}

/** Several people talk at once until the node is killed under them. */
async function talkAndKill(
  rig: Rig,
  node: PaiProcess,
  accessToken: string,
  name: string,
  isLong: boolean
): Promise<{ attempts: Attempt[]; killedAt: number }> {
  const begun = Promise.withResolvers<void>()
  const api = connect(node.url, accessToken)
  const talks = Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      talkUntilCut(api, `${name}, client ${client},`, begun.resolve)
    )
  )
  await Promise.race([begun.promise, talks])
  await wait(rig.random(KILL_WITHIN_MS) + (isLong ? LONG.killedAfterMs : 0))
  const killedAt = performance.now()
  await node.kill()
  return { attempts: (await talks).flat(), killedAt }
}

/** Everybody sends again what they sent, and what was acknowledged before is what is acknowledged now. */
async function sendAllAgain(
  api: ReturnType<typeof connect>,
  attempts: Attempt[],
  tally: Tally
): Promise<void> {
  await Promise.all(
    attempts.map(async (attempt) => {
      const { turnId } = await api.send({ ...attempt, streams: true })
      if (attempt.turnId) {
        tally.acknowledged++
        if (turnId !== attempt.turnId) tally.lost++
      }
      attempt.turnId = turnId
    })
  )
}
