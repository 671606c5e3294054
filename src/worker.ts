import type { Services } from './services.ts'

/** Jobs of each kind that one process works on at once. */
const CONCURRENCY = 2

/** Runs every job. */
export async function startWorker(
  { jobs, queue }: Pick<Services, 'jobs' | 'queue'>,
  onError: (error: unknown, doing: string) => void
): Promise<void> {
  await queue.work(jobs, CONCURRENCY, (name, error) => onError(error, `running job ${name}`))
}
