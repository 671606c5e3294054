import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Api, connect } from '../clients.ts'
import { openDatabaseOf } from '../database-of.ts'
import type { Counts } from '../inside/counts.ts'
import type { FaultProgram, Tally } from '../program.ts'

const COUNTS = join(import.meta.dirname, '..', 'inside', 'counts.ts')
/** A round is a minute. */
const ROUND_MS = 60_000
const QUICK_MS = 15_000
const LOOKS_A_ROUND = 6
/** What is loaded, compiled and remembered only once is not counted: this share of the time, from the start. */
const WARM_UP = 0.25
/** People at once, while it is found out how much there can be, and then at half of that. */
const PEOPLE = 16
const CAPACITY_MS = 10_000
const GROWTH_BYTES_AN_HOUR = 2 ** 20
const HOUR_MS = 3_600_000

/** R11: hours at half of what it can do leave nothing behind: no memory, file, timer, listener or connection. */
export const soak: FaultProgram = {
  id: 'R11',
  title: 'hours at half capacity leave nothing behind',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 0, full: 60 },
  needs: 'half a core',
  byName: true,
  reply: () => 'Noted.',
  async run(rig, rounds, tally) {
    const node = await rig.startNode({}, { inside: COUNTS })
    const key = await rig.keyFor(node, await rig.register(node))
    const api = connect(node.url, key)
    const database = await openDatabaseOf(rig)
    const lengthMs = rounds === 0 ? QUICK_MS : rounds * ROUND_MS
    const capacity = await talk(api, PEOPLE, rounds === 0 ? CAPACITY_MS / 5 : CAPACITY_MS, 0, tally)
    const looks: Look[] = []
    const began = performance.now()
    const everyMs = (2 * PEOPLE * 1_000) / capacity
    const talking = talk(api, PEOPLE, lengthMs, everyMs, tally)
    const lookEveryMs = rounds === 0 ? QUICK_MS / LOOKS_A_ROUND : ROUND_MS / LOOKS_A_ROUND
    while (performance.now() - began < lengthMs) {
      await wait(lookEveryMs)
      const { rows } = await database.query<{ connections: number }>(
        `SELECT count(*)::int AS connections FROM pg_stat_activity WHERE application_name LIKE 'pai%'`
      )
      looks.push({
        at: performance.now(),
        connections: rows[0]?.connections ?? 0,
        ...(await node.ask<Counts>('?'))
      })
      tally.played = Math.round(((performance.now() - began) / lengthMs) * rounds)
    }
    await talking
    check(looks.slice(Math.floor(looks.length * WARM_UP)), rounds, tally)
    if (!node.isUp()) tally.broken.push('the process ended')
  }
}

type Look = Counts & { at: number; connections: number }

/** Everybody says something every so often, in a new conversation each twenty messages. Answers messages a second. */
async function talk(api: Api, people: number, forMs: number, everyMs: number, tally: Tally): Promise<number> {
  const began = performance.now()
  let count = 0
  async function one(): Promise<void> {
    let conversationId: string | undefined
    for (let said = 0; performance.now() - began < forMs; said++) {
      const saidAt = performance.now()
      const key = crypto.randomUUID()
      if (said % 20 === 0) conversationId = undefined
      const attempt = { key, text: `Message ${said}`, conversationId, streams: said % 2 === 1 }
      conversationId = (await api.send(attempt)).conversationId
      tally.acknowledged++
      count++
      await wait(Math.max(0, everyMs - (performance.now() - saidAt)))
    }
  }
  await Promise.all(Array.from({ length: people }, one))
  return (1_000 * count) / (performance.now() - began)
}

/** Nothing grows: of what is counted, the second half has no more at its least than the first has at its most. */
function check(looks: Look[], rounds: number, tally: Tally): void {
  const middle = Math.floor(looks.length / 2)
  const [before, after] = [looks.slice(0, middle), looks.slice(middle)]
  const counted: [string, (look: Look) => number][] = [
    ['open files', ({ files }) => files],
    ['listeners', ({ listeners }) => listeners],
    ['connections to the database', ({ connections }) => connections],
    ['timers', ({ resources }) => resources.Timeout ?? 0],
    ['sockets', ({ resources }) => resources.TCPSocketWrap ?? 0]
  ]
  for (const [what, of] of counted) {
    const [most, least] = [Math.max(...before.map(of)), Math.min(...after.map(of))]
    if (least > most)
      tally.broken.push(`${what} grow: never more than ${most}, then never fewer than ${least}`)
  }
  if (rounds === 0) return
  const { slope, error } = fitLine(looks.map(({ at, heapBytes }) => [at, heapBytes]))
  const [low, high] = [slope - 2 * error, slope + 2 * error].map((one) => one * HOUR_MS) as [number, number]
  const words = `${mib(low)} to ${mib(high)} MiB an hour`
  console.log(`R11: after collections the heap grows by ${words}, ${looks.length} looks`)
  if (low > 0 || high > GROWTH_BYTES_AN_HOUR) tally.broken.push(`the heap grows by ${words}`)
}

/** The line through these points that fits best, and the standard error of its slope. */
function fitLine(points: [x: number, y: number][]): { slope: number; error: number } {
  const mean = (of: (point: [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)]
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2)
}
