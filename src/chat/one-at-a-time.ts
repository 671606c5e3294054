export type OneAtATime = <T>(key: string, work: () => Promise<T>) => Promise<T>

/**
 * Does work of the same key one after the other. What would wait in the database for a row that the one before holds would keep
 * a connection from everybody meanwhile.
 */
export function createOneAtATime(): OneAtATime {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const before = last.get(key)
    const mine = before ? before.then(work, work) : work()
    last.set(key, mine)
    const leave = () => {
      if (last.get(key) === mine) last.delete(key)
    }
    mine.then(leave, leave)
    return mine
  }
}
