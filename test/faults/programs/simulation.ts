import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, constants, setPriority } from 'node:os'
import { join } from 'node:path'
import type { FaultProgram } from '../program.ts'
import type { Rig } from '../rig.ts'
import type { Told } from '../simulation/main.ts'

/** A process of its own takes some seconds for its tables. */
const WORTH_ANOTHER = 1_000
const MAIN = join(import.meta.dirname, '..', 'simulation', 'main.ts')

/**
 * R19: the life of turns in one process, where a scheduler says what comes next: which transaction, answer, token or
 * notification, whether a node dies, the database does not answer, a client loses its connection, or time passes. The
 * tables are PAI's own, in memory; the clock is the simulation's. A failure names its seed.
 */
export const simulation: FaultProgram = {
  id: 'R19',
  title: 'everything that can happen to turns, in any order (simulated)',
  databases: ['embedded'],
  rounds: { quick: 40, full: 10_000 },
  needs: 'leftovers',
  simulated: true,
  async run(rig, rounds, tally) {
    const count = rounds < WORTH_ANOTHER ? 1 : availableParallelism()
    const told: Told[] = []
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const ofThis = Math.floor((rounds + index) / count)
        const { code, errors } = await simulate(rig, rig.seed + index, ofThis, (next) => {
          told[index] = next
          tally.played = sum(told, ({ played }) => played)
          tally.acknowledged = sum(told, ({ acknowledged }) => acknowledged)
        })
        const { failure, played = 0 } = told[index] ?? {}
        if (failure) tally.broken.push(failure)
        else if (code !== 0 || played < ofThis)
          tally.broken.push(`seed ${rig.seed + index}: it ended with ${code}: ${errors.slice(-2_000)}`)
      })
    )
  }
}

/** Plays so many schedules, drawn from this seed, in a process that gives way to whatever else is played. */
async function simulate(rig: Rig, seed: number, rounds: number, onTold: (told: Told) => void) {
  const child = fork(MAIN, [String(seed), String(rounds)], { execArgv: [], silent: true })
  rig.whenOver(() => child.kill('SIGKILL'))
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += chunk))
  child.stdout?.resume()
  child.on('message', onTold)
  const [code] = await once(child, 'exit')
  return { code, errors }
}

function sum(told: Told[], of: (told: Told) => number): number {
  return told.reduce((total, one) => total + of(one), 0)
}
