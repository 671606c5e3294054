import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import { NOTHING } from '../rig.ts'

const EVENTS = 500

/** R2: a reader that is cut off anywhere goes on with the very next byte, on any node. */
export const resume: FaultProgram = {
  id: 'R2',
  title: `a stream of ${EVENTS} events, cut everywhere`,
  databases: ['postgres', 'embedded'],
  /** Random cuts in the middle of events, beside one after each event. */
  rounds: { quick: 20, full: 1_000 },
  // Calls are events of their own, which no gathering of words makes fewer.
  reply: ({ body }) =>
    body.stream
      ? {
          deltas: ['Bees? "Tromsø"\n\u2028'],
          toolCalls: Array.from({ length: EVENTS }, (_, index) => ({
            id: `call ${index}`,
            name: 'look',
            arguments: `{"at":${index}}`
          }))
        }
      : NOTHING,
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

    const stranger = await rig.register(node)
    for (const at of nodes) {
      const { status } = await fetch(`${at.url}/v1/turns/${turnId}/events`, {
        headers: { authorization: `Bearer ${stranger}` }
      })
      check(status === 404, `a stranger was answered ${status}`, tally)
    }
  }
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
