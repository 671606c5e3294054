import { parseArgs } from 'node:util'
import { findPostgres } from '../support/postgres-server.ts'
import { type FaultProgram, isKept, newTally, type Tally } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { openRig } from './rig.ts'

/** So many turns without a loss make "less than one in ten thousand" more than a hope (3 / n at 95 %). */
const ENOUGH_TURNS = 30_000

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) }
  },
  allowPositionals: true
})
const chosen = PROGRAMS.filter(({ id }) => positionals.length === 0 || positionals.includes(id))
const unknown = positionals.filter((id) => !PROGRAMS.some((program) => program.id === id))
if (unknown.length > 0) {
  console.error(
    `No such program: ${unknown.join(', ')}. There are ${PROGRAMS.map(({ id }) => id).join(', ')}`
  )
  process.exit(2)
}
const without = findPostgres()
if ('missing' in without) console.log(`SKIPPED everything on a PostgreSQL server: ${without.missing}`)

const rows: Record<string, object> = {}
let acknowledged = 0
let failed = 0
for (const program of chosen) {
  for (const kind of program.databases) {
    if (kind === 'postgres' && 'missing' in without) continue
    const rounds = values.quick ? program.rounds.quick : program.rounds.full
    const began = performance.now()
    const tally = await play(program, kind, rounds, Number(values.seed))
    acknowledged += tally.acknowledged
    if (!isKept(tally)) failed++
    for (const what of tally.broken.slice(0, 10)) console.error(`${program.id} ${kind}: ${what}`)
    rows[`${program.id} ${kind}`] = toRow(program, rounds, tally, performance.now() - began)
    console.log(`${program.id} ${kind}: ${isKept(tally) ? 'kept' : 'BROKEN'}`)
  }
}
console.table(rows)
console.log(JSON.stringify({ seed: Number(values.seed), acknowledged, rows }))
console.log(
  `${acknowledged} turns were acknowledged in all (${ENOUGH_TURNS} are enough), seed ${values.seed}`
)
process.exit(failed === 0 ? 0 : 1)

async function play(
  program: FaultProgram,
  kind: FaultProgram['databases'][number],
  rounds: number,
  seed: number
): Promise<Tally> {
  const tally = newTally()
  const rig = await openRig({ kind, seed, reply: program.reply })
  try {
    await program.run(rig, rounds, tally)
  } catch (error) {
    tally.broken.push(`ended with ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    await rig.close()
  }
  return tally
}

function toRow(program: FaultProgram, rounds: number, tally: Tally, tookMs: number): object {
  const { recoveredMs } = tally
  const sorted = recoveredMs.toSorted((a, b) => a - b)
  const ms = (value: number | undefined) => (value === undefined ? '' : Math.round(value))
  return {
    what: program.title,
    rounds,
    acknowledged: tally.acknowledged,
    lost: tally.lost,
    doubled: tally.doubled,
    'recovery p50 ms': ms(sorted[Math.floor(sorted.length / 2)]),
    'longest ms': ms(sorted.at(-1)),
    seconds: Math.round(tookMs / 1_000),
    kept: isKept(tally) ? 'yes' : 'NO'
  }
}
