import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DataFolderInUse } from './errors.ts'

/** The locks this process has: one that is forgotten would be collected, and collected it is given up. */
const held = new Set<DatabaseSync>()

export interface DataFolderLock {
  /** Whether the folder is still where it was; without it, what is written is written for nobody. */
  isThere(): boolean
  release(): void
}

/**
 * Takes the data folder for this process, or throws naming the pid that has it. Two processes on one embedded database
 * lose acknowledged rows. The lock is the operating system's own (SQLite takes it on every platform): it ends with the
 * process that holds it, however that ends, and can neither be stolen from a slow holder nor left behind by a dead one.
 * Nothing else in this process may open the file `lock`: on Linux and macOS, closing it again would give the lock up.
 */
export function lockDataFolder(dataDir: string): DataFolderLock {
  const pidPath = join(dataDir, 'lock.pid')
  const path = join(dataDir, 'lock')
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new DataFolderInUse(`The data folder ${dataDir} is in use by process ${readPid(pidPath)}`, {
      cause
    })
  }
  held.add(lock)
  writeFileSync(pidPath, String(process.pid))
  const { ino } = statSync(path)
  return {
    isThere() {
      try {
        return statSync(path, { throwIfNoEntry: false })?.ino === ino
      } catch {
        // What cannot be looked at for the moment has not been taken away.
        return true
      }
    },
    release() {
      held.delete(lock)
      lock.close()
    }
  }
}

function readPid(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'unknown: it is just starting'
  }
}
