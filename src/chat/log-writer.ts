import { type Bus, MAX_IDS, type Notice } from '../db/bus.ts'
import { type Database, sqlState } from '../db/client.ts'
import { appendTurnEvents, type LogPart } from '../db/system.ts'

/**
 * Stores what one turn has to add to its log. It is asked what that is when its transaction begins, so that what has come until
 * then goes along; null: nothing any more. Answers false when the turn is another's now, or has ended.
 */
export type StoreEvents = (take: () => LogPart | null, isUrgent: boolean) => Promise<boolean>

/** Transactions begin so far apart while the database is quicker than that: what comes meanwhile costs it one. */
const APART_MS = 25
/** How long somebody else's lock is waited for before a part goes again. */
const HELD_MS = 250
/** As many turns as share a transaction. */
const MAX_TURNS = 1_000

interface Waiting {
  take: () => LogPart | null
  resolve: (held: boolean) => void
  reject: (error: unknown) => void
}

interface Taken extends Omit<Waiting, 'take'> {
  part: LogPart
}

/** What the bus is told of logs that have grown: who wrote, whose watchers know it already, and the turns. */
export function toGrownLogs(writer: string, turnIds: string[]): string {
  return `${writer} ${turnIds.join()}`
}

/** The turns that were told of, for everybody but the one who wrote. */
export function readGrownLogs(message: string, reader: string): string[] {
  const [writer, turnIds = ''] = message.split(' ')
  return writer === reader ? [] : turnIds.split(',')
}

/** Classes 22 and 23 of SQLSTATE: a value that cannot be, or one that breaks a constraint. */
function isAboutData(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '')
}

/**
 * Writes the logs of all turns of this process, one transaction at a time: what comes while it is under way goes together
 * in the next, so a thousand streams cost no more transactions than one. The more there is to do, the longer one takes and the
 * more it brings: words come in larger pieces then, and nothing queues up.
 */
export function createLogWriter({
  database,
  bus,
  runnerId
}: {
  database: Database
  bus: Bus
  runnerId: string
}): StoreEvents {
  let waiting: Waiting[] = []
  /** Parts of turns that somebody else had locked: they go again as they are, and nobody waits for them. */
  let heldUp: Taken[] = []
  let held: NodeJS.Timeout | undefined
  let writing = false
  let urgent = false
  let rest: NodeJS.Timeout | undefined
  let isDue = false

  async function write(batch: Taken[]): Promise<void> {
    const parts = batch.map(({ part }) => part)
    const turnIds = parts.map(({ turnId }) => turnId)
    const mine = await appendTurnEvents(database, runnerId, parts, noticesOf(turnIds))
    for (const one of batch) {
      const isStored = mine.get(one.part.turnId)
      if (isStored === false) heldUp.push(one)
      else one.resolve(isStored ?? false)
    }
    if (heldUp.length === 0) return
    held ??= setTimeout(() => {
      held = undefined
      begin()
    }, HELD_MS)
  }

  function noticesOf(turnIds: string[]): Notice[] {
    const told: Notice[] = []
    for (let from = 0; from < turnIds.length; from += MAX_IDS) {
      told.push(bus.telling('turn-log', toGrownLogs(runnerId, turnIds.slice(from, from + MAX_IDS))))
    }
    return told
  }

  /** Not at once: what comes together goes together, and those who have been answered say first what came for them meanwhile. */
  function begin(): void {
    const isIdle = waiting.length === 0 && (heldUp.length === 0 || held !== undefined)
    if (isDue || writing || isIdle || (rest && !urgent)) return
    isDue = true
    setImmediate(writeNext)
  }

  async function writeNext(): Promise<void> {
    isDue = false
    writing = true
    urgent = false
    clearTimeout(rest)
    rest = setTimeout(() => {
      rest = undefined
      begin()
    }, APART_MS)
    const batch = takeSome()
    try {
      if (batch.length > 0) await write(batch)
    } catch (error) {
      // What is wrong with one part is no fault of the others'; a database that is away is away for all.
      if (batch.length > 1 && isAboutData(error))
        for (const one of batch) await write([one]).catch(one.reject)
      else for (const { reject } of batch) reject(error)
    }
    writing = false
    begin()
  }

  function takeSome(): Taken[] {
    const again = held ? [] : heldUp
    if (!held) heldUp = []
    const some = waiting.slice(0, MAX_TURNS)
    waiting = waiting.slice(MAX_TURNS)
    const fresh = some.flatMap(({ take, resolve, reject }) => {
      const part = take()
      if (part) return [{ part, resolve, reject }]
      resolve(true)
      return []
    })
    return [...again, ...fresh]
  }

  return (take, isUrgent) =>
    new Promise((resolve, reject) => {
      waiting.push({ take, resolve, reject })
      urgent ||= isUrgent
      begin()
    })
}
