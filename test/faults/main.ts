import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { DatabaseKind } from '../support/database.ts'
import { findPostgres } from '../support/postgres-server.ts'
import type { Play } from './play-one.ts'
import { type FaultProgram, isKept, newTally, type Tally } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { type Entry, playInOrder } from './schedule.ts'

const PLAY_ONE = join(import.meta.dirname, 'play-one.ts')

/** So many turns without a loss make "less than one in ten thousand" more than a hope (3 / n at 95 %). */
const ENOUGH_TURNS = 30_000
const PROGRESS_MS = 30_000
const COLUMNS = [
  'what',
  'rounds',
  'acknowledged',
  'lost',
  'doubled',
  'recovery p50 ms',
  'longest ms',
  'seconds',
  'kept'
]

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    database: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) }
  },
  allowPositionals: true
})
const unknown = positionals.filter((id) => !PROGRAMS.some((program) => program.id === id))
if (unknown.length > 0) {
  console.error(
    `No such program: ${unknown.join(', ')}. There are ${PROGRAMS.map(({ id }) => id).join(', ')}`
  )
  process.exit(2)
}
const chosen = PROGRAMS.filter(({ id, byName }) =>
  positionals.length === 0 ? !byName : positionals.includes(id)
)
const without = findPostgres()
if ('missing' in without) console.log(`SKIPPED everything on a PostgreSQL server: ${without.missing}`)

const began = performance.now()
const rows: Record<DatabaseKind, Record<string, Row>> = { postgres: {}, embedded: {} }
const broken: string[] = []
/** What is played now, each in a process that ends when it is let go. */
const playing = new Set<ChildProcess>()
let isBrokenOff = false
async function breakOff(): Promise<void> {
  isBrokenOff = true
  tellAll()
  await Promise.all([...playing].map(letGo))
  process.exit(130)
}
process.once('SIGINT', breakOff)
process.once('SIGTERM', breakOff)
const entries: Entry[] = []
for (const kind of ['postgres', 'embedded'] as const) {
  if ((kind === 'postgres' && 'missing' in without) || (values.database ?? kind) !== kind) continue
  for (const program of chosen.filter(({ databases }) => databases.includes(kind))) {
    const why = program.impossible?.()
    if (why) console.log(`SKIPPED ${program.id} ${kind}: ${why}`)
    else entries.push({ program, kind })
  }
}
await playInOrder(entries, playOne)
const isWhole = positionals.length === 0 && !values.quick && !values.rounds && !values.database
if (isWhole && 'missing' in without) broken.push('nothing was played on a PostgreSQL server')
if (isWhole && acknowledgedInAll() < ENOUGH_TURNS)
  broken.push(`fewer than ${ENOUGH_TURNS} turns were acknowledged`)
tellAll()
process.exit(broken.length === 0 ? 0 : 1)

/** Those of the simulation are nobody's. */
function acknowledgedInAll(): number {
  const played = Object.values(rows).flatMap((ofKind) => Object.values(ofKind))
  return played.reduce((sum, row) => sum + (row.simulated ? 0 : row.acknowledged), 0)
}

/** The tables of what has been played so far: also of a run that somebody breaks off. */
function tellAll(): void {
  const acknowledged = acknowledgedInAll()
  for (const kind of ['postgres', 'embedded'] as const) {
    // They end in another order.
    const played = PROGRAMS.flatMap(({ id }) => rows[kind][id] ?? [])
    if (played.length === 0) continue
    console.log(kind === 'postgres' ? '\nOn a PostgreSQL server:' : '\nOn the embedded database:')
    const sum = (of: (row: Row) => number) => played.reduce((total, row) => total + of(row), 0)
    const total = {
      rounds: sum((row) => row.rounds),
      acknowledged: sum((row) => (row.simulated ? 0 : row.acknowledged))
    }
    const harm = { lost: sum((row) => row.lost), doubled: sum((row) => row.doubled) }
    const table = Object.fromEntries(played.map((row) => [row.id, row]))
    console.table({ ...table, all: { ...total, ...harm } }, COLUMNS)
  }
  for (const what of broken) console.error(what)
  console.log(JSON.stringify({ seed: Number(values.seed), acknowledged, rows }))
  console.log(
    `${acknowledged} turns were acknowledged in ${seconds(performance.now() - began)} s` +
      ` (${ENOUGH_TURNS} are enough), seed ${values.seed}`
  )
}

async function playOne({ program, kind }: Entry): Promise<void> {
  const { quick, full } = program.rounds
  const rounds = Number(values.rounds ?? (values.quick ? quick : full))
  const name = `${program.id} ${kind}`
  let tally = newTally()
  const startedAt = performance.now()
  const sayHowFar = () =>
    console.log(
      `${name}: ${tally.played}/${rounds} rounds, ${tally.acknowledged} acknowledged,` +
        ` ${seconds(performance.now() - startedAt)} s, in all ${seconds(performance.now() - began)} s`
    )
  const timer = setInterval(sayHowFar, PROGRESS_MS)
  await play({ id: program.id, kind, rounds, seed: Number(values.seed) }, (told) => {
    tally = told
  })
  clearInterval(timer)
  // It has not ended by itself, and nothing comes after it.
  if (isBrokenOff) await new Promise(() => {})
  sayHowFar()
  console.log(`${name}: ${isKept(tally) ? 'kept' : 'BROKEN'} (${program.title})`)
  rows[kind][program.id] = toRow(program, tally, performance.now() - startedAt)
  if (isKept(tally)) return
  const counts = `${tally.lost} lost, ${tally.doubled} doubled`
  broken.push(...[counts, ...tally.broken.slice(0, 10)].map((what) => `${name}: ${what}`))
  for (const what of tally.broken.slice(0, 10)) console.error(`${name}: ${what}`)
}

/** Plays it in a process of its own, and passes on what that tells. */
async function play(what: Play, onTold: (tally: Tally) => void): Promise<void> {
  const child = fork(PLAY_ONE, [JSON.stringify(what)], { execArgv: [] })
  playing.add(child)
  let last = newTally()
  child.on('message', (tally: Tally) => {
    last = tally
    onTold(tally)
  })
  const [code, signal] = await once(child, 'exit')
  playing.delete(child)
  if (code !== 0) onTold({ ...last, broken: [...last.broken, `its process ended with ${code ?? signal}`] })
}

async function letGo(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  await exited
}

interface Row {
  id: string
  what: string
  rounds: number
  acknowledged: number
  lost: number
  doubled: number
  'recovery p50 ms': number | ''
  'longest ms': number | ''
  seconds: number
  kept: 'yes' | 'NO'
  simulated: boolean
}

function toRow(program: FaultProgram, tally: Tally, tookMs: number): Row {
  const { recoveredMs } = tally
  const sorted = recoveredMs.toSorted((a, b) => a - b)
  const ms = (value: number | undefined) => (value === undefined ? '' : Math.round(value))
  return {
    id: program.id,
    what: program.title,
    rounds: tally.played,
    acknowledged: tally.acknowledged,
    lost: tally.lost,
    doubled: tally.doubled,
    'recovery p50 ms': ms(sorted[Math.floor(sorted.length / 2)]),
    'longest ms': ms(sorted.at(-1)),
    seconds: seconds(tookMs),
    kept: isKept(tally) ? 'yes' : 'NO',
    simulated: program.simulated ?? false
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000)
}
