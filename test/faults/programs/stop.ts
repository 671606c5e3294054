import { setTimeout as wait } from 'node:timers/promises'
import type { Api } from '../clients.ts'
import type { FaultProgram } from '../program.ts'
import { NOTHING } from '../rig.ts'

/** What a model that hangs before its first word is told. */
const SILENT = 'Say nothing yet'

/** R17: a second from the owner's wish to the end of what the provider bills for. */
const STOPPED_MS = 1_000
/** Bills are written together. */
const BILLED_MS = 5_000

/** R17: stopping reaches the provider, on whichever node it is asked; leaving the stream does not. */
export const stop: FaultProgram = {
  id: 'R17',
  title: 'stop, and leaving, are two things',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 2, full: 50 },
  needs: 'little',
  // Words and then nothing more, or nothing at all: only an abort ends such a reply.
  reply({ body }) {
    if (!body.stream) return NOTHING
    return JSON.stringify(body.messages).includes(SILENT)
      ? { before: 'hang' }
      : { deltas: ['Hello'], ending: 'hang' }
  },
  async run(rig, rounds, tally) {
    const running = await rig.startNode()
    const other = rig.kind === 'postgres' ? await rig.startNode() : running
    const api = await rig.join(running)
    const headers = { authorization: `Bearer ${api.accessToken}` }
    const streams = () => rig.model.requests.filter(({ body }) => body.stream === true).length
    for (let round = 0; round < rounds; round++, tally.played++) {
      const isSilent = round % 2 === 1
      const asked = streams()
      const { turnId } = await api.send({
        key: `round ${round}`,
        text: isSilent ? `${SILENT} ${round}` : `Round ${round}`,
        conversationId: undefined,
        streams: true
      })
      tally.acknowledged++
      if (isSilent) while (streams() === asked) await wait(5)
      else await readUntil(`${running.url}/v1/turns/${turnId}/events`, headers, 'event: text-delta')
      // `send` left after the first event, and the turn goes on.
      const { status } = await api.get(`/turns/${turnId}`)
      if (status !== 'running') tally.broken.push(`after its reader left, a turn is ${status}`)
      const closed = rig.model.closed()
      const began = performance.now()
      await fetch(`${other.url}/v1/turns/${turnId}/stop`, { method: 'POST', headers })
      await rig.model.waitForClosed(closed + 1)
      const tookMs = performance.now() - began
      tally.recoveredMs.push(tookMs)
      if (tookMs > STOPPED_MS) tally.broken.push(`the provider was let go after ${Math.round(tookMs)} ms`)
      const ended = await until(() => api.get(`/turns/${turnId}`))
      if (ended.status !== 'stopped' || (ended.message?.content ?? '') !== (isSilent ? '' : 'Hello')) {
        tally.broken.push(`a stopped turn is ${ended.status} with ${JSON.stringify(ended.message?.content)}`)
      }
    }
    // What was stopped is billed once, as far as it came, and nothing after that.
    const calls = await callsOf(api, rounds)
    if (calls !== rounds) tally.broken.push(`${rounds} stopped replies are billed as ${calls} calls`)
    // Each was asked once, and nobody was asked again for what was stopped.
    if (streams() !== rounds) tally.broken.push(`${rounds} turns asked the provider ${streams()} times`)
  }
}

/** How many replies are billed, once there are so many, which is soon. */
async function callsOf(api: Api, wanted: number): Promise<number> {
  const began = performance.now()
  for (;;) {
    const { items } = await api.get('/usage?groupBy=purpose')
    const calls: number = items.find(({ key }: { key: string }) => key === 'chat')?.calls ?? 0
    if (calls >= wanted || performance.now() - began > BILLED_MS) return calls
    await wait(50)
  }
}

/** The turn once it has ended. */
async function until(read: () => Promise<{ status: string; message: { content: string } | null }>) {
  for (;;) {
    const turn = await read()
    if (turn.status !== 'running') return turn
  }
}

/** Follows a stream until it has said this, and leaves. */
async function readUntil(url: string, headers: Record<string, string>, wanted: string): Promise<void> {
  let text = ''
  for await (const piece of (await fetch(url, { headers })).body ?? []) {
    text += Buffer.from(piece).toString()
    if (text.includes(wanted)) return
  }
  throw new Error(`The stream ended without ${wanted}: ${text}`)
}
