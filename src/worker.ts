import type { Services } from './services.ts'

/** Jobs of each kind that one process works on at once. */
const CONCURRENCY = 2
const SWEEP_MS = 15_000

/** Runs every job, and ends the turns whose runner died. Answers a function that stops the sweeping. */
export async function startWorker(
  { jobs, queue, chat }: Services,
  onError: (error: unknown, doing: string) => void
): Promise<() => void> {
  await queue.work(jobs, CONCURRENCY, (name, error) => onError(error, `running job ${name}`))
  const sweep = setInterval(() => {
    chat.interruptAbandoned(false).catch((error) => onError(error, 'ending abandoned turns'))
  }, SWEEP_MS)
  return () => clearInterval(sweep)
}
