import { availableParallelism } from 'node:os'
import type { DatabaseKind } from '../support/database.ts'
import type { FaultProgram } from './program.ts'

/** A program on one kind of database. */
export interface Entry {
  program: FaultProgram
  kind: DatabaseKind
}

/**
 * Plays everything, and keeps the machine busy with it without spoiling what is measured. What takes next to nothing begins
 * at once, and beside it, one after the other, what needs the machine. Then the rest: what only waits now and then, what
 * takes whatever is left over, and beside them one program at a time for each core, the longest first.
 */
export async function playInOrder(entries: Entry[], play: (entry: Entry) => Promise<void>): Promise<void> {
  const needing = (needs: FaultProgram['needs']) => entries.filter(({ program }) => program.needs === needs)
  const little = needing('little').map(play)
  for (const entry of needing('the machine')) await play(entry)
  const cores = needing(undefined).toSorted((a, b) => minutesOf(b) - minutesOf(a))
  async function work(): Promise<void> {
    for (let entry = cores.shift(); entry; entry = cores.shift()) await play(entry)
  }
  const beside = [...needing('half a core'), ...needing('leftovers')].map(play)
  await Promise.all([...Array.from({ length: availableParallelism() }, work), ...beside, ...little])
}

function minutesOf({ program }: Entry): number {
  return program.minutes ?? 0
}
