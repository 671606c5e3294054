import pg from 'pg'
import type { FaultProgram } from '../program.ts'

const REQUESTS = 500
/** R18: a request waits this long for a connection, and then hears that there is none. */
const WAIT_MS = 5_000
const HEALTHY_MS = 100

/** R18: every connection is taken, and hundreds wait. They wait for a bounded time, and the process stays well. */
export const busyDatabase: FaultProgram = {
  id: 'R18',
  title: `the pool is taken, and ${REQUESTS} requests come`,
  databases: ['postgres'],
  rounds: { quick: 1, full: 3 },
  needs: 'the machine',
  reply: () => 'Noted.',
  async run(rig, rounds, tally) {
    const node = await rig.startNode()
    const api = await rig.join(node)
    const blocker = new pg.Client({ connectionString: rig.settings.DATABASE_URL })
    await blocker.connect()
    rig.whenOver(() => blocker.end())
    const headers = { authorization: `Bearer ${api.accessToken}`, 'content-type': 'application/json' }
    for (let round = 0; round < rounds; round++, tally.played++) {
      const { turnId } = await api.send({
        key: `before ${round}`,
        text: 'Before',
        conversationId: undefined,
        streams: false
      })
      if (turnId) tally.acknowledged++
      await blocker.query('BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE')
      let released = false
      const began = performance.now()
      const asked = Array.from({ length: REQUESTS }, async (_, index) => {
        const response = await fetch(`${node.url}/v1/chat`, {
          method: 'POST',
          headers: { ...headers, 'idempotency-key': `round ${round} request ${index}` },
          body: JSON.stringify({ message: `Request ${index}` })
        })
        await response.arrayBuffer()
        return { status: response.status, tookMs: performance.now() - began, released }
      })
      const healthMs: number[] = []
      while (performance.now() - began < WAIT_MS + 2_000) {
        const askedAt = performance.now()
        const health = await fetch(`${node.url}/healthz`)
        await health.arrayBuffer()
        healthMs.push(performance.now() - askedAt)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      released = true
      await blocker.query('ROLLBACK')
      const answers = await Promise.all(asked)
      const refused = answers.filter(({ status }) => status === 503)
      const late = refused.filter((answer) => !answer.released && answer.tookMs > WAIT_MS + 1_500)
      if (refused.length < REQUESTS / 2)
        tally.broken.push(`only ${refused.length} of ${REQUESTS} were refused`)
      if (late.length > 0) tally.broken.push(`${late.length} requests waited longer than ${WAIT_MS} ms`)
      const others = answers.filter(({ status }) => status !== 503 && status !== 200)
      if (others.length > 0) tally.broken.push(`answers of ${others.map(({ status }) => status).join(', ')}`)
      // Hundreds of requests leave this process at once too, so a few of these are its own delay.
      const slow = healthMs.filter((ms) => ms > HEALTHY_MS).length
      if (slow > healthMs.length / 10)
        tally.broken.push(`/healthz was slow ${slow} of ${healthMs.length} times`)
      tally.acknowledged += answers.length - refused.length - others.length
      const againAt = performance.now()
      await api.send({ key: `after ${round}`, text: 'After', conversationId: undefined, streams: false })
      tally.recoveredMs.push(performance.now() - againAt)
      tally.acknowledged++
    }
  }
}
