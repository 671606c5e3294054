import net from 'node:net'
import { connect } from '../clients.ts'
import { saidIn } from '../conversations.ts'
import type { FaultProgram } from '../program.ts'
import type { Rig } from '../rig.ts'

const SENDERS = 10

/** R22: the connection breaks after the commit and before the answer. The same request again gets what was stored. */
export const lostAnswer: FaultProgram = {
  id: 'R22',
  title: 'the answer is lost after the commit',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 20, full: 500 },
  async run(rig, rounds, tally) {
    const node = await rig.startNode()
    const api = await rig.join(node)
    const throughCutter = connect(await startCutter(rig, new URL(node.url)), api.accessToken)
    const texts = Array.from({ length: rounds }, (_, round) => `Message ${round}`)
    const waiting = [...texts]
    async function sendAll(): Promise<void> {
      for (let text = waiting.pop(); text; text = waiting.pop()) {
        // The first byte of events comes right after the commit, that of a whole answer when the turn is over.
        const streams = waiting.length % 2 === 1
        const attempt = { key: text, text, conversationId: undefined, streams }
        const cut = await throughCutter.send(attempt).then(
          () => false,
          () => true
        )
        if (!cut) tally.broken.push('an answer came through the connection that cuts them')
        const began = performance.now()
        const { turnId } = await api.send(attempt)
        tally.recoveredMs.push(performance.now() - began)
        const again = await api.send({ ...attempt, streams: !streams })
        if (again.turnId !== turnId) tally.broken.push('two retries with one key were told of two turns')
        tally.acknowledged++
        tally.played++
      }
    }
    await Promise.all(Array.from({ length: SENDERS }, sendAll))
    const said = await saidIn(api)
    tally.doubled += said.length - new Set(said).size
    tally.lost += texts.filter((text) => !said.includes(text)).length
  }
}

/** A proxy that hands requests on, and breaks the connection when the first byte of an answer comes. Answers its address. */
async function startCutter(rig: Rig, { hostname, port }: URL): Promise<string> {
  const cutter = net.createServer((client) => {
    const server = net.connect(Number(port), hostname)
    client.pipe(server)
    server.once('data', () => {
      client.resetAndDestroy()
      server.destroy()
    })
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve))
  rig.whenOver(() => cutter.close())
  return `http://127.0.0.1:${(cutter.address() as net.AddressInfo).port}`
}
