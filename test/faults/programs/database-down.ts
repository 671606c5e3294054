import { setTimeout as wait } from 'node:timers/promises'
import type { Api } from '../clients.ts'
import { connect } from '../clients.ts'
import { saidIn } from '../conversations.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'

const WRITERS = 50
/** R3: from the moment the database takes connections until the first message is taken again. */
const RECOVERED_MS = 2_000
/** How long it is away, and how long it is left alone in between. */
const AWAY_MS = 300
const BETWEEN_MS = 2_000

/** R3: the database is killed, or shut down, under many writers. PAI stays up, says so, and loses nothing. */
export const databaseDown: FaultProgram = {
  id: 'R3',
  title: `the database goes away under ${WRITERS} writers`,
  databases: ['postgres'],
  rounds: { quick: 3, full: 20 },
  needs: 'the machine',
  reply: () => 'Noted.',
  async run(rig, rounds, tally) {
    const { postgres } = rig
    if (!postgres) throw new Error('This is about a server')
    const node = await rig.startNode()
    const api = await rig.join(node)
    const state: State = { over: false, acknowledged: [], firstAgainAt: 0 }
    const writers = Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => write(node, api, writer, state, tally))
    )
    // Heard below, unless something else goes wrong before.
    writers.catch(() => {})
    for (let round = 0; round < rounds; round++, tally.played++) {
      await wait(BETWEEN_MS + rig.random(500))
      const way = ['crash', 'immediate', 'fast'][round % 3]
      if (way === 'crash') await postgres.crash()
      else await postgres.shutDown(way as 'immediate' | 'fast')
      await wait(AWAY_MS)
      state.firstAgainAt = 0
      await postgres.start()
      const takesConnectionsAt = performance.now()
      while (state.firstAgainAt === 0 && performance.now() - takesConnectionsAt < 30_000) await wait(5)
      const tookMs = state.firstAgainAt - takesConnectionsAt
      tally.recoveredMs.push(tookMs)
      if (!(tookMs <= RECOVERED_MS)) tally.broken.push(`served again ${Math.round(tookMs)} ms after a ${way}`)
    }
    state.over = true
    await writers
    tally.acknowledged += state.acknowledged.length
    const said = await saidIn(connect(node.url, api.accessToken))
    const kept = new Set(said)
    tally.doubled += said.length - kept.size
    tally.lost += state.acknowledged.filter((text) => !kept.has(text)).length
    if (!node.isUp()) tally.broken.push('the process ended')
  }
}

interface State {
  over: boolean
  acknowledged: string[]
  /** When the first message was taken after the database was back. */
  firstAgainAt: number
}

/** Sends one message after the other, each until it is acknowledged, with its own key. */
async function write(
  node: PaiProcess,
  api: Api & { accessToken: string },
  writer: number,
  state: State,
  tally: Tally
): Promise<void> {
  let conversationId: string | undefined
  for (let count = 0; !state.over; count++) {
    const text = `Writer ${writer} message ${count}`
    for (;;) {
      const response = await fetch(`${node.url}/v1/chat`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.accessToken}`,
          'content-type': 'application/json',
          'idempotency-key': text
        },
        body: JSON.stringify({ message: text, ...(conversationId && { conversationId }) })
      })
      const answer = (await response.json()) as { conversationId: string; code?: string }
      if (response.ok) {
        state.acknowledged.push(text)
        state.firstAgainAt ||= performance.now()
        conversationId = answer.conversationId
        break
      }
      if (response.status !== 503 || !response.headers.has('retry-after')) {
        tally.broken.push(`a request was answered ${response.status} ${answer.code}`)
      }
      await wait(100)
      if (state.over) return
    }
  }
}
