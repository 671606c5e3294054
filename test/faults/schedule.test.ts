import { availableParallelism } from 'node:os'
import { setImmediate as nextLoop } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FaultProgram } from './program.ts'
import { type Entry, playInOrder } from './schedule.ts'

const CORES = availableParallelism()

function entry(id: string, needs?: FaultProgram['needs'], minutes = 0): Entry {
  const program: FaultProgram = {
    id,
    title: id,
    databases: ['embedded'],
    rounds: { quick: 1, full: 1 },
    minutes,
    ...(needs && { needs }),
    async run() {}
  }
  return { program, kind: 'embedded' }
}

test('what needs the machine is alone with what takes next to nothing, and no more than the cores are kept busy', async () => {
  const short = Array.from({ length: CORES }, (_, index) => entry(`short ${index}`))
  const long = Array.from({ length: CORES }, (_, index) => entry(`long ${index}`, undefined, 9))
  const now = new Map<string, () => void>()
  const over = playInOrder(
    [
      ...short,
      ...long,
      entry('alone 1', 'the machine'),
      entry('waits', 'half a core'),
      entry('alone 2', 'the machine'),
      entry('idle', 'little'),
      entry('rest', 'leftovers')
    ],
    ({ program }) =>
      new Promise<void>((end) => now.set(program.id, end)).then(() => void now.delete(program.id))
  )
  const end = async (...ids: string[]) => {
    for (const id of ids) now.get(id)?.()
    await nextLoop()
    return [...now.keys()].sort()
  }
  const ids = (entries: Entry[]) => entries.map(({ program }) => program.id)
  expect(await end()).toEqual(['alone 1', 'idle'])
  expect(await end('alone 1')).toEqual(['alone 2', 'idle'])
  expect(await end('alone 2')).toEqual(['idle', ...ids(long), 'rest', 'waits'])
  expect(await end(...ids(long))).toEqual(['idle', 'rest', ...ids(short), 'waits'])
  expect(await end(...ids(short), 'idle', 'rest', 'waits')).toEqual([])
  await over
})
