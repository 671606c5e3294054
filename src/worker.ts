import type { Services } from './services.ts'

/** Jobs of each kind that one process works on at once. */
const CONCURRENCY = 2
/** Tidying leaves a start alone. */
const TIDY_AFTER_SECONDS = 20

/** Runs every job. */
export async function startWorker(
  { database, jobs, queue }: Pick<Services, 'database' | 'jobs' | 'queue'>,
  onError: (error: unknown, doing: string) => void
): Promise<void> {
  await queue.work(jobs, CONCURRENCY, (name, error) => onError(error, `running job ${name}`))
  // A machine that is seldom on at that minute of the hour would never tidy.
  const after = { afterSeconds: TIDY_AFTER_SECONDS }
  await database.inSystem((tx) => queue.enqueue(tx, 'house.delete-expired', { afterStart: true }, after))
}
