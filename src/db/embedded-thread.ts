import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type DataFolderLock, lockDataFolder } from './data-folder-lock.ts'
import { EmbeddedLost } from './errors.ts'

/** How often it looks whether the data folder is still there. */
const LOOK_MS = 1_000

export interface EmbeddedWorkerData {
  databaseDir: string
  socketPath: string
}

/** The embedded database's thread, on its way up. */
export interface EmbeddedThread {
  socketPath: string
  /** Rejects when the database could not be opened; the folder is free again then. */
  ready: Promise<void>
  /** Answers why nothing can be kept any more: the folder was taken away, or the database has broken down. */
  lost: Promise<unknown>
  close(): Promise<void>
}

/** Takes the data folder, which is made if there is none, or throws naming who has it. */
export function takeDataFolder(dataDir: string): DataFolderLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return lockDataFolder(dataDir)
}

/**
 * Starts PostgreSQL in a thread of its own, so that a long query never holds up the API. It imports next to nothing:
 * opening a database takes as long as loading the rest of the program, and both can go on at once.
 */
export function startEmbedded(dataDir: string, lock = takeDataFolder(dataDir)): EmbeddedThread {
  const socket = socketFor(dataDir)
  const workerData: EmbeddedWorkerData = {
    databaseDir: join(dataDir, 'database'),
    socketPath: socket.path
  }
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), { workerData })

  const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>()
  const look = setInterval(() => {
    if (lock.isThere()) return
    lose(new EmbeddedLost(`The data folder ${dataDir} was removed while PAI was using it: start PAI again`))
    socket.remove()
  }, LOOK_MS).unref()

  async function dispose(): Promise<void> {
    clearInterval(look)
    await worker.terminate()
    socket.remove()
    lock.release()
  }

  const ready = once(worker, 'message').then(
    () => {},
    async (error) => {
      await dispose()
      throw error
    }
  )
  // Whoever opens it hears of it; what comes later is said by `lost`.
  ready.then(
    () => worker.on('error', lose),
    () => {}
  )

  return {
    socketPath: socket.path,
    ready,
    lost,
    async close() {
      worker.postMessage('close')
      await once(worker, 'message')
      await dispose()
    }
  }
}

/**
 * A place for the socket: in the temporary folder, because a socket's path may hold about 100 characters and not every
 * file system a data folder may be on has sockets. A process that is killed leaves it behind, so the data folder remembers
 * it, and whoever opens it next removes it.
 */
function socketFor(dataDir: string): { path: string; remove(): void } {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\pai-${process.pid}-${Date.now()}`, remove() {} }
  }
  const notePath = join(dataDir, 'socket-folder')
  if (existsSync(notePath)) removeSocket(readFileSync(notePath, 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'pai-'))
  writeFileSync(notePath, folder)
  return { path: join(folder, 'socket'), remove: () => removeSocket(folder) }
}

function removeSocket(folder: string): void {
  // The note may have been cut short.
  if (basename(folder).startsWith('pai-')) rmSync(folder, { recursive: true, force: true })
}
