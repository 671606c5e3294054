import { type Bus, MAX_IDS } from '../db/bus.ts'
import { type Database, sqlState } from '../db/client.ts'
import { appendTurnEvents, type LogPart } from '../db/system.ts'

/** Stores what one turn has to add to its log. Answers false when the turn is another's now, or has ended. */
export type StoreEvents = (part: LogPart) => Promise<boolean>

interface Waiting {
  part: LogPart
  resolve: (held: boolean) => void
  reject: (error: unknown) => void
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
 * in the next, so a thousand streams cost no more transactions than one. A turn waits for its part before it brings another.
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
  let writing = false

  async function write(batch: Waiting[]): Promise<void> {
    const parts = batch.map(({ part }) => part)
    const turnIds = parts.map(({ turnId }) => turnId)
    const held = await database.inSystem((tx) =>
      appendTurnEvents(tx, runnerId, parts, bus.telling('turn-log', toGrownLogs(runnerId, turnIds)))
    )
    for (const { part, resolve } of batch) resolve(held.has(part.turnId))
  }

  async function writeAll(): Promise<void> {
    writing = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_IDS)
      waiting = waiting.slice(MAX_IDS)
      try {
        await write(batch)
      } catch (error) {
        // What is wrong with one part is no fault of the others'; a database that is away is away for all.
        if (batch.length > 1 && isAboutData(error))
          for (const one of batch) await write([one]).catch(one.reject)
        else for (const { reject } of batch) reject(error)
      }
    }
    writing = false
  }

  return (part) =>
    new Promise((resolve, reject) => {
      waiting.push({ part, resolve, reject })
      if (!writing) writeAll()
    })
}
