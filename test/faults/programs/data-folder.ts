import { setTimeout as wait } from 'node:timers/promises'
import { type Api, connect } from '../clients.ts'
import { saidIn } from '../conversations.ts'
import { runPai } from '../pai-process.ts'
import type { FaultProgram } from '../program.ts'

/** A second process has a second to see that the folder is taken; it also has to be started, on a machine that is busy. */
const REFUSED_WITHIN_MS = 5_000
/** So long the holder stands still: longer than a process that is merely slow. */
const PAUSED_MS = 3_000

/** R15: a data folder has one process at a time: a live one keeps it, even when it stands still; a dead one leaves it. */
export const dataFolder: FaultProgram = {
  id: 'R15',
  title: 'two processes want one data folder, or its holder stands still or dies',
  databases: ['embedded'],
  rounds: { quick: 1, full: 10 },
  async run(rig, rounds, tally) {
    let holder = await rig.startNode()
    const { accessToken } = await rig.join(holder)
    const said: string[] = []
    const say = async (api: Api, text: string) => {
      await api.send({ key: text, text, conversationId: undefined, streams: false })
      tally.acknowledged++
      said.push(text)
    }
    const refuse = async (when: string) => {
      const began = performance.now()
      const { code, output } = await runPai(rig.settings, rig.whenOver)
      const tookMs = performance.now() - began
      if (code !== 1) tally.broken.push(`${when}: the second process ended with ${code}`)
      if (!new RegExp(`in use by process ${holder.pid}\\b`).test(output)) {
        tally.broken.push(`${when}: the holder is not named: ${output.slice(-300)}`)
      }
      if (tookMs > REFUSED_WITHIN_MS) tally.broken.push(`${when}: refused after ${Math.round(tookMs)} ms`)
    }
    for (let round = 0; round < rounds; round++) {
      await refuse('beside a live holder')
      holder.pause()
      await wait(PAUSED_MS)
      await refuse('beside a holder that stands still')
      holder.resume()
      await say(connect(holder.url, accessToken), `Round ${round}, afterwards`)
      await holder.kill()
      const began = performance.now()
      holder = await rig.startNode()
      tally.recoveredMs.push(performance.now() - began)
      const kept = await saidIn(connect(holder.url, accessToken))
      tally.lost += said.filter((text) => !kept.includes(text)).length
      tally.doubled += kept.length - new Set(kept).size
    }
  }
}
