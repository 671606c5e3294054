import type { Job } from 'pg-boss'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createQueueWorker, type QueueWorkerDeps } from '../../src/jobs/work-queue.ts'
import { eventually } from '../support/eventually.ts'

/** A queue of jobs by their ids, and all that a worker asks of it. */
function setUp(ids: string[], run: (id: string, signal: AbortSignal) => Promise<'done' | 'put-off'>) {
  const waiting = ids.map((id) => ({ id, name: 'memory.purge', retryCount: 0 }) as Job<unknown>)
  const asked: { fetched: number[]; completed: string[][]; failed: string[][]; touched: string[][] } = {
    fetched: [],
    completed: [],
    failed: [],
    touched: []
  }
  const lost = new Set<string>()
  const toIds = (jobs: unknown) => [jobs].flat().map((job) => (job as Job).id)
  const boss = {
    async fetch(_name: string, { batchSize = 1 } = {}) {
      const jobs = waiting.splice(0, batchSize)
      asked.fetched.push(jobs.length)
      return jobs
    },
    async complete(_name: string, jobs: unknown) {
      asked.completed.push(toIds(jobs))
      return {}
    },
    async fail(_name: string, jobs: unknown) {
      asked.failed.push(toIds(jobs))
      return {}
    },
    async touch(_name: string, jobs: unknown) {
      asked.touched.push(toIds(jobs))
      return { settled: toIds(jobs).filter((id) => !lost.has(id)) }
    }
  } as unknown as QueueWorkerDeps['boss']
  const failures: unknown[] = []
  const worker = createQueueWorker({
    boss,
    name: 'memory.purge',
    concurrency: 4,
    untilQuiet: async () => {},
    run: (job, signal) => run(job.id, signal),
    onError: (error) => failures.push(error)
  })
  onTestFinished(() => worker.close(0))
  return { worker, waiting, asked, lost, failures }
}

test('jobs that come together are taken together, no more than may run, and ended together', async () => {
  let running = 0
  let most = 0
  const { asked } = setUp(['1', '2', '3', '4', '5', '6'], async () => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    return 'done'
  })
  await eventually(() => expect(asked.completed.flat()).toHaveLength(6))
  expect(most).toBe(4)
  expect(asked.fetched.slice(0, 2)).toEqual([4, 2])
  expect(asked.completed).toEqual([
    ['1', '2', '3', '4'],
    ['5', '6']
  ])
})

test('a long job holds up neither the ends of others nor those that wait', async () => {
  const long = Promise.withResolvers<void>()
  const { asked } = setUp(['long', '1', '2', '3', '4', '5'], async (id) => {
    if (id === 'long') await long.promise
    return 'done'
  })
  await eventually(() => expect(asked.completed.flat().toSorted()).toEqual(['1', '2', '3', '4', '5']))
  long.resolve()
  await eventually(() => expect(asked.completed.flat()).toContain('long'))
})

test('one that fails fails alone, and one that is put off is left as it is', async () => {
  const { asked, worker } = setUp(['good', 'bad', 'later'], async (id) => {
    if (id === 'bad') throw new Error('PAI_JOB_FAILED')
    return id === 'later' ? 'put-off' : 'done'
  })
  await eventually(() => expect(asked.failed).toEqual([['bad']]))
  await worker.close(1_000)
  expect(asked.completed).toEqual([['good']])
})

test('a notification is enough for a job to begin', async () => {
  const { asked, waiting, worker } = setUp([], async () => 'done')
  await eventually(() => expect(asked.fetched).toEqual([0]))
  waiting.push({ id: 'new', name: 'memory.purge', retryCount: 0 } as Job<unknown>)
  worker.wake()
  await eventually(() => expect(asked.completed).toEqual([['new']]))
})

test('it is said of each job that it is still worked on, and who has lost one is told', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const signals = new Map<string, AbortSignal>()
  const { asked, lost } = setUp(['kept', 'lost'], (id, signal) => {
    signals.set(id, signal)
    return new Promise(() => {})
  })
  await eventually(() => expect(signals.size).toBe(2))
  lost.add('lost')
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked.touched).toEqual([['kept', 'lost']])
  expect([...signals].map(([id, { aborted }]) => [id, aborted])).toEqual([
    ['kept', false],
    ['lost', true]
  ])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked.touched[1]).toEqual(['kept'])
})

test('closing takes no more, waits for what runs, and gives back what does not end', async () => {
  const signals: AbortSignal[] = []
  const end = Promise.withResolvers<void>()
  const { asked, worker, waiting } = setUp(['ends', 'stays'], async (id, signal) => {
    signals.push(signal)
    await (id === 'ends' ? end.promise : new Promise(() => {}))
    return 'done'
  })
  await eventually(() => expect(signals).toHaveLength(2))
  const closed = worker.close(100)
  waiting.push({ id: 'late', name: 'memory.purge', retryCount: 0 } as Job<unknown>)
  worker.wake()
  end.resolve()
  await closed
  expect(asked.completed).toEqual([['ends']])
  expect(asked.failed).toEqual([['stays']])
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true])
})
