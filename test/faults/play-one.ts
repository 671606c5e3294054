import { setTimeout as wait } from 'node:timers/promises'
import type { DatabaseKind } from '../support/database.ts'
import { newTally, type Tally } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { openRig } from './rig.ts'

/** What this process is to play, given as JSON. */
export interface Play {
  id: string
  kind: DatabaseKind
  rounds: number
  seed: number
}

const TOLD_EVERY_MS = 1_000
const TOLD_WITHIN_MS = 5_000

// One program on one kind of database, in a process of its own: its requests wait for nobody else's, and whoever started it
// is told how far it is. Without them it puts its house away and ends.
const play: Play = JSON.parse(process.argv[2] ?? '{}')
const program = PROGRAMS.find(({ id }) => id === play.id)
if (!program) throw new Error(`There is no program ${play.id}`)
const tally = newTally()
const opening = openRig({ kind: play.kind, seed: play.seed, reply: program.reply })
// Both are meant for all of the run: whoever started this puts an end to it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.once('disconnect', leave)
if (!process.connected) await leave()
const rig = await opening
const timer = setInterval(tell, TOLD_EVERY_MS)
try {
  await program.run(rig, play.rounds, tally)
} catch (error) {
  tally.broken.push(`ended with ${error instanceof Error ? error.stack : String(error)}`)
}
clearInterval(timer)
await rig.close()
await tell()
process.exit(0)

async function leave(): Promise<void> {
  await opening.then(({ close }) => close()).catch(() => {})
  process.exit(1)
}

async function tell(): Promise<void> {
  // One who is gone need not be told.
  const told = new Promise((resolve) => process.send?.(tally satisfies Tally, resolve))
  await Promise.race([told, wait(TOLD_WITHIN_MS)])
}
