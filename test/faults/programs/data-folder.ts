import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Api, connect } from '../clients.ts'
import { saidIn } from '../conversations.ts'
import { type PaiProcess, runPai } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

/** So soon a second process is refused: the quickest of a few, since the others also wait for a busy machine. */
const REFUSED_MS = 1_000
const TRIES = 5
/** So long the holder stands still: longer than a process that is merely slow, and once much longer. */
const PAUSED_MS = 300
const LONG_PAUSE_MS = 120_000
/** A folder that was taken away is noticed within this time, on a busy machine too. */
const NOTICED_MS = 10_000

/** R15: a data folder has one process at a time: a live one keeps it, even when it stands still; a dead one leaves it. */
export const dataFolder: FaultProgram = {
  id: 'R15',
  title: 'a data folder is wanted twice, or left by the dead, or taken away',
  databases: ['embedded'],
  rounds: { quick: 1, full: 100 },
  needs: 'half a core',
  async run(rig, rounds, tally) {
    await takeAway(rig, tally)
    let holder = await rig.startNode()
    const key = await rig.keyFor(holder, await rig.register(holder))
    const said: string[] = []
    for (; tally.played < rounds; tally.played++) {
      await refuse(rig, holder, 'beside a live holder', tally)
      holder.pause()
      await wait(rounds > 1 && tally.played === 0 ? LONG_PAUSE_MS : PAUSED_MS)
      await refuse(rig, holder, 'beside a holder that stands still', tally)
      holder.resume()
      const talk = sayUntilCut(connect(holder.url, key), `Round ${tally.played}`, said, tally)
      await talk.begun
      await wait(rig.random(300))
      await holder.kill()
      await talk.over
      const began = performance.now()
      holder = await rig.startNode()
      tally.recoveredMs.push(performance.now() - began)
    }
    const kept = await saidIn(connect(holder.url, key))
    tally.lost += said.filter((text) => !kept.includes(text)).length
    tally.doubled += kept.length - new Set(kept).size
  }
}

/** One message after the other, until the process is gone. */
function sayUntilCut(api: Api, name: string, said: string[], tally: Tally) {
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  async function talk(): Promise<void> {
    for (let count = 0; ; count++) {
      const text = `${name}, message ${count}`
      await api.send({ key: text, text, conversationId: undefined, streams: true })
      said.push(text)
      tally.acknowledged++
      resolve()
    }
  }
  // Cut off, or it could not even begin.
  return { begun, over: talk().catch(() => resolve()) }
}

async function refuse(rig: Rig, holder: PaiProcess, when: string, tally: Tally): Promise<void> {
  let quickest = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < TRIES && quickest > REFUSED_MS; tries++) {
    const began = performance.now()
    const { code, output } = await runPai(rig.settings, rig.whenOver)
    quickest = Math.min(quickest, performance.now() - began)
    if (code !== 1) tally.broken.push(`${when}: the second process ended with ${code}`)
    if (!new RegExp(`in use by process ${holder.pid}\\b`).test(output))
      tally.broken.push(`${when}: the holder is not named: ${output.slice(-300)}`)
  }
  if (quickest > REFUSED_MS) tally.broken.push(`${when}: refused after ${Math.round(quickest)} ms`)
}

/** Somebody removes the folder under a live server, which says so and ends: it could keep nothing any more. */
async function takeAway(rig: Rig, tally: Tally): Promise<void> {
  const folder = join(rig.folder, 'taken-away')
  const node = await rig.startNode({ PAI_DATA_DIR: folder })
  const { send } = await rig.join(node)
  await send({ key: 'first', text: 'First', conversationId: undefined, streams: false })
  tally.acknowledged++
  rmSync(folder, { recursive: true, maxRetries: 20 })
  const ended = await Promise.race([node.ended(), wait(NOTICED_MS)])
  if (!ended) tally.broken.push('a folder that was taken away was not noticed')
  else if (ended.code !== 1 || !ended.output.includes(`The data folder ${folder} was removed`))
    tally.broken.push(`without its folder it ended with ${ended.code}: ${ended.output.slice(-500)}`)
  await node.kill()
}
