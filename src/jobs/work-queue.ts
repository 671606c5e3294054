import { setImmediate as nextLoop, setTimeout as wait } from 'node:timers/promises'
import type { Job, PgBoss } from 'pg-boss'
import { WATCHED } from './jobs.ts'

/** A queue is looked at when a notification tells of jobs; this often anyway, for retries that are due and in case one was missed. */
const POLL_MS = 5_000
const HEARTBEAT_MS = ((WATCHED.heartbeatSeconds ?? 10) * 1_000) / 2

export interface QueueWorker {
  /** There may be jobs. */
  wake(): void
  /** Begins no more, and waits for those that run, up to `timeoutMs`; the others are told, and are tried again. */
  close(timeoutMs: number): Promise<void>
}

export interface QueueWorkerDeps {
  boss: Pick<PgBoss, 'fetch' | 'complete' | 'fail' | 'touch'>
  name: string
  /** Jobs that run at once. */
  concurrency: number
  /** What looking for jobs waits for. */
  untilQuiet: () => Promise<void>
  /** Does a job; one that is put off is ended by that. Throws what is kept of its failure. */
  run: (job: Job<unknown>, signal: AbortSignal) => Promise<'done' | 'put-off'>
  onError: (error: unknown) => void
}

/**
 * Works on one queue. pg-boss' own workers take and end each job by itself, with a transaction for either; here those that come
 * together are taken together, and those that are over are ended together, without any of them waiting for another.
 */
export function createQueueWorker({
  boss,
  name,
  concurrency,
  untilQuiet,
  run,
  onError
}: QueueWorkerDeps): QueueWorker {
  /** What this process has: jobs that run, and those whose end is not stored yet. */
  const claims = new Map<Job<unknown>, AbortController>()
  const running = new Set<Promise<void>>()
  let done: Job<unknown>[] = []
  let settling: Promise<void> | undefined
  let looking: Promise<void> | undefined
  let mayBeMore = false
  let closing = false
  let closed = false
  let poll: NodeJS.Timeout | undefined

  function look(): void {
    mayBeMore = true
    if (closing || running.size >= concurrency) return
    looking ??= take().finally(() => {
      looking = undefined
      // Woken meanwhile, or it brought all there was room for and may have left some.
      if (mayBeMore) look()
    })
  }

  async function take(): Promise<void> {
    clearTimeout(poll)
    await untilQuiet()
    // Whatever ends in this moment makes room together.
    await nextLoop()
    mayBeMore = false
    const room = concurrency - running.size
    try {
      const jobs = await boss.fetch<unknown>(name, { batchSize: room })
      mayBeMore ||= jobs.length === room
      if (closed && jobs.length > 0) await boss.fail(name, jobs, stopping())
      else for (const job of jobs) begin(job)
    } catch (error) {
      onError(error)
    }
    if (!closing) poll = setTimeout(look, POLL_MS)
  }

  function begin(job: Job<unknown>): void {
    const claim = new AbortController()
    claims.set(job, claim)
    const work = runAndSettle(job, claim.signal).finally(() => {
      running.delete(work)
      if (mayBeMore) look()
    })
    running.add(work)
  }

  async function runAndSettle(job: Job<unknown>, signal: AbortSignal): Promise<void> {
    try {
      if ((await run(job, signal)) === 'put-off') claims.delete(job)
      else settle(job)
    } catch (failure) {
      await boss.fail(name, job, failure as Error).catch(onError)
      claims.delete(job)
    }
  }

  function settle(job: Job<unknown>): void {
    done.push(job)
    settling ??= settleAll().finally(() => {
      settling = undefined
    })
  }

  async function settleAll(): Promise<void> {
    while (done.length > 0) {
      // Whatever ends in this moment is ended together.
      await nextLoop()
      const jobs = done
      done = []
      // One whose end cannot be stored runs again, like one whose process died.
      await boss.complete(name, jobs, null).catch(onError)
      for (const job of jobs) claims.delete(job)
    }
  }

  const heartbeat = setInterval(async () => {
    const held = [...claims].filter(([, claim]) => !claim.signal.aborted)
    if (held.length === 0) return
    try {
      // Its type leaves out which jobs are still this process's.
      const { settled } = (await boss.touch(
        name,
        held.map(([job]) => job)
      )) as { settled?: string[] }
      const kept = new Set(settled)
      for (const [job, claim] of held)
        if (settled && !kept.has(job.id)) claim.abort(new Error('The job is another worker’s now'))
    } catch (error) {
      onError(error)
    }
  }, HEARTBEAT_MS)

  async function finish(): Promise<void> {
    await looking
    await Promise.all(running)
    await settling
  }

  look()
  return {
    wake: look,
    async close(timeoutMs) {
      closing = true
      clearTimeout(poll)
      const over = new AbortController()
      const late = wait(timeoutMs, undefined, { signal: over.signal }).catch(() => {})
      await Promise.race([finish(), late])
      over.abort()
      closed = true
      clearInterval(heartbeat)
      const left = [...claims].filter(([job]) => !done.includes(job))
      if (left.length === 0) return
      // Told first, it might end as if it were done.
      const jobs = left.map(([job]) => job)
      await boss.fail(name, jobs, stopping()).catch(onError)
      for (const [, claim] of left) claim.abort(new Error('The process stops'))
    }
  }
}

/** What is kept of a job that was cut off. */
function stopping(): Error {
  return new Error('PAI_SERVICE_STOPPING')
}
