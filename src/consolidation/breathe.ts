import { setImmediate as nextTick } from 'node:timers/promises'

const STEPS = 100

/** Awaited in a long loop with its index, lets everything else in the process have its turn now and then. */
export async function breathe(index: number): Promise<void> {
  if (index > 0 && index % STEPS === 0) await nextTick()
}
