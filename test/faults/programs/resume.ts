import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import { NOTHING } from '../rig.ts'

const EVENTS = 500
/** A reply that is read while it is written, and cut after so many of its events. */
const LIVE = { text: 'Live', words: 20, betweenMs: 80, cutAfter: [1, 2, 4, 7, 11] }

/** R2: a reader that is cut off anywhere goes on with the very next byte, on any node. */
export const resume: FaultProgram = {
  id: 'R2',
  title: `a stream of ${EVENTS} events, cut everywhere`,
  databases: ['postgres', 'embedded'],
  /** Random cuts in the middle of events, beside one after each event. */
  rounds: { quick: 20, full: 1_000 },
  // Calls are events of their own, which no gathering of words makes fewer.
  reply: ({ body }) => {
    if (!body.stream) return NOTHING
    if (JSON.stringify(body.messages).includes(LIVE.text)) return sayLive()
    return {
      deltas: ['Bees? "Tromsø"\n\u2028'],
      toolCalls: Array.from({ length: EVENTS }, (_, index) => ({
        id: `call ${index}`,
        name: 'look',
        arguments: `{"at":${index}}`
      }))
    }
  },
  async run(rig, rounds, tally) {
    const nodes = [await rig.startNode()]
    if (rig.kind === 'postgres') nodes.push(await rig.startNode())
    const [node] = nodes as [PaiProcess]
    const api = await rig.join(node)
    const { turnId } = await api.send({ key: 'one', text: 'Hi', conversationId: undefined, streams: true })
    tally.acknowledged++
    const whole = await read(node, api.accessToken, turnId, 0)
    const ends = [...whole.matchAll(/\n\n/g)].map(({ index }) => index + 2)
    if (ends.length < EVENTS) tally.broken.push(`the stream has only ${ends.length} events`)

    async function goOn(cutAt: number, at: PaiProcess): Promise<void> {
      const complete = ends.filter((end) => end <= cutAt)
      const seen = whole.slice(0, complete.at(-1) ?? 0)
      const rest = await read(at, api.accessToken, turnId, complete.length)
      check(seen + rest === whole, `cut after ${cutAt} characters, the rest is not the rest`, tally)
    }
    const cuts = [...ends, ...Array.from({ length: rounds }, () => rig.random(whole.length))]
    const began = performance.now()
    for (const [index, cutAt] of cuts.entries()) await goOn(cutAt, nodes[index % nodes.length] as PaiProcess)
    tally.recoveredMs.push((performance.now() - began) / cuts.length)
    tally.played = rounds

    await Promise.all(
      LIVE.cutAfter.map(async (events, index) => {
        const live = await api.send({
          key: `live ${events}`,
          text: LIVE.text,
          conversationId: undefined,
          streams: true
        })
        tally.acknowledged++
        const seen = await readLive(
          nodes[index % nodes.length] as PaiProcess,
          api.accessToken,
          live.turnId,
          events
        )
        const other = nodes[(index + 1) % nodes.length] as PaiProcess
        const rest = await read(other, api.accessToken, live.turnId, events)
        check(
          seen + rest === (await read(node, api.accessToken, live.turnId, 0)),
          `cut while it was written, after event ${events}, the rest is not the rest`,
          tally
        )
      })
    )

    const stranger = await rig.register(node)
    for (const at of nodes) {
      const { status } = await fetch(`${at.url}/v1/turns/${turnId}/events`, {
        headers: { authorization: `Bearer ${stranger}` }
      })
      check(status === 404, `a stranger was answered ${status}`, tally)
    }
  }
}

function sayLive() {
  const later = (index: number) =>
    new Promise<string>((resolve) => setTimeout(resolve, index * LIVE.betweenMs, `word${index} `))
  return { deltas: Array.from({ length: LIVE.words }, (_, index) => later(index)) }
}

/** The first events of a turn under way, whose reader then breaks the connection. */
async function readLive(
  node: PaiProcess,
  accessToken: string,
  turnId: string,
  events: number
): Promise<string> {
  const response = await fetch(`${node.url}/v1/turns/${turnId}/events`, {
    headers: { authorization: `Bearer ${accessToken}` }
  })
  let text = ''
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString()
    const ends = [...text.matchAll(/\n\n/g)].map(({ index }) => index + 2)
    if (ends.length >= events) return text.slice(0, ends[events - 1])
  }
  return text
}

async function read(node: PaiProcess, accessToken: string, turnId: string, after: number): Promise<string> {
  const response = await fetch(`${node.url}/v1/turns/${turnId}/events`, {
    headers: { authorization: `Bearer ${accessToken}`, 'last-event-id': String(after) }
  })
  return response.text()
}

function check(holds: boolean, otherwise: string, tally: Tally): void {
  if (!holds) tally.broken.push(otherwise)
}
