/** `atOnce`: from when on the work waits for nothing before it. */
export type OneAtATime = <T>(key: string, work: () => Promise<T>, atOnce?: Promise<void>) => Promise<T>

/**
 * Does work of the same key one after the other. What would wait in the database for a row that the one before holds would keep
 * a connection from everybody meanwhile.
 */
export function createOneAtATime(): OneAtATime {
  const last = new Map<string, Promise<unknown>>()
  return (key, work, atOnce) => {
    const before = last.get(key)
    const mine = before ? Promise.race(atOnce ? [before, atOnce] : [before]).then(work) : work()
    // What comes after one that did not wait waits for both.
    const over = Promise.allSettled([before, mine]).then(() => {
      if (last.get(key) === over) last.delete(key)
    })
    last.set(key, over)
    return mine
  }
}
