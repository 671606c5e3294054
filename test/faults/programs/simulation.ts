import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FaultProgram } from '../program.ts'
import type { Told } from '../simulation/main.ts'

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
  simulated: true,
  async run(rig, rounds, tally) {
    const child = fork(MAIN, [String(rig.seed), String(rounds)], { execArgv: [], silent: true })
    rig.whenOver(() => child.kill('SIGKILL'))
    let errors = ''
    child.stderr?.on('data', (chunk) => (errors += chunk))
    child.stdout?.resume()
    let failure: string | undefined
    child.on('message', (told: Told) => {
      tally.played = told.played
      tally.acknowledged = told.acknowledged
      failure = told.failure
    })
    const [code] = await once(child, 'exit')
    if (failure) tally.broken.push(failure)
    if (code !== 0 || tally.played < rounds)
      tally.broken.push(`it ended with ${code}: ${errors.slice(-2_000)}`)
  }
}
