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

/** R1: kill -9 at random points of streams. What was acknowledged is there, once, and every turn comes to an end. */
export const killNode: FaultProgram = {
  id: 'R1',
  title: 'kill -9 at random points of streams',
  databases: ['postgres', 'embedded'],
  // Two hundred in all.
  rounds: { quick: 3, full: 100 },
  minutes: 5,
  // As long as a kill may take to come, so that it meets turns under way.
  reply: ({ body }) => (body.stream ? TAKES_TIME(KILL_WITHIN_MS / 3) : NOTHING),
  async run(rig, rounds, tally) {
    // Where there can be two nodes, the other one goes on serving, and the people turn to it.
    const survivor = rig.kind === 'postgres' ? await rig.startNode() : null
    let node = await rig.startNode()
    // An access token would not last as long as this does.
    const accessToken = await rig.keyFor(node, await rig.register(node))
    const turnIds: string[] = []
    const read = new Map<string, string>()
    for (let round = 0; round < rounds; round++, tally.played++) {
      const reading = readUntilCut(node.url, accessToken, `Round ${round}, reader,`)
      const attempts = await talkAndKill(rig, node, accessToken, `Round ${round}`)
      for (const [turnId, words] of await reading) read.set(turnId, words)
      const began = performance.now()
      const next = rig.startNode()
      const api = connect((survivor ?? (await next)).url, accessToken)
      await sendAllAgain(api, attempts, tally)
      tally.recoveredMs.push(performance.now() - began)
      turnIds.push(...attempts.flatMap(({ turnId }) => turnId ?? []))
      node = await next
    }
    const api = connect(survivor?.url ?? node.url, accessToken)
    const said = await saidIn(api)
    tally.doubled += said.length - new Set(said).size
    const deadline = performance.now() + ENDED_MS
    while ((await unfinishedTurns(api)).length > 0) {
      if (performance.now() > deadline) {
        tally.broken.push(`turns are still under way ${ENDED_MS / 1_000} s after the last kill`)
        break
      }
      await wait(200)
    }
    await checkWords(api, read, tally)
    const ends = new Set<string>()
    for (const turnId of turnIds) ends.add((await api.get(`/turns/${turnId}`)).status)
    if (!ends.has('completed') || !ends.has('interrupted'))
      tally.broken.push(`no kill has met a turn under way: ${[...ends].join(', ')}`)
  }
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
  name: string
): Promise<Attempt[]> {
  const begun = Promise.withResolvers<void>()
  const api = connect(node.url, accessToken)
  const talks = Promise.all(
    Array.from({ length: CLIENTS }, (_, client) =>
      talkUntilCut(api, `${name}, client ${client},`, begun.resolve)
    )
  )
  await Promise.race([begun.promise, talks])
  await wait(rig.random(KILL_WITHIN_MS))
  await node.kill()
  return (await talks).flat()
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
