import { expect, test } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { createGiveWay } from '../../src/jobs/give-way.ts'
import type { JobHandlers } from '../../src/jobs/jobs.ts'
import { eventually } from '../support/eventually.ts'

const signal = new AbortController().signal

function house() {
  const giveWay = createGiveWay()
  const began: string[] = []
  const handlers = giveWay.letGoFirst({
    'memory.purge': async ({ memoryId }) => {
      began.push(memoryId)
    }
  } as Partial<JobHandlers> as JobHandlers)
  const purge = (memoryId: string) => handlers['memory.purge']({ ownerId: 'ada', memoryId }, signal)
  return { giveWay, began, purge }
}

test('a job begins at once where nobody waits for a first word', async () => {
  const { began, purge } = house()
  await purge('one')
  expect(began).toEqual(['one'])
})

test('it begins when the last who wait have their first word', async () => {
  const { giveWay, began, purge } = house()
  const [first, second] = [giveWay.begin(), giveWay.begin()]
  const job = purge('one')
  first()
  // Said twice, as at the first word and at the end, it counts once.
  first()
  await new Promise(setImmediate)
  expect(began).toEqual([])
  second()
  await job
  expect(began).toEqual(['one'])
})

test('and when people have waited for a second on end, which the next job need not wait out again', async () => {
  const { giveWay, began, purge } = house()
  giveWay.begin()
  const job = purge('one')
  await eventually(async () => expect(began).toEqual(['one']), 5_000)
  await job
  const next = purge('two')
  await new Promise(setImmediate)
  expect(began).toEqual(['one', 'two'])
  await next
})

test('a job that is at work when somebody begins to wait goes on with its next transaction after them', async () => {
  const giveWay = createGiveWay()
  const done: string[] = []
  const database = giveWay.afterPeople({
    inOwner: async (ownerId: string) => {
      done.push(ownerId)
    }
  } as unknown as Database)
  const write = (name: string) => database.inOwner(name, async () => {})
  await write('before')
  const first = giveWay.begin()
  const waiting = write('after')
  await new Promise(setImmediate)
  expect(done).toEqual(['before'])
  first()
  await waiting
  expect(done).toEqual(['before', 'after'])
})
