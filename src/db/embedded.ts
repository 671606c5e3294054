import { EventEmitter, once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { createTransactions, type Database, Pool } from './client.ts'
import { lockDataFolder } from './data-folder-lock.ts'

export interface EmbeddedWorkerData {
  databaseDir: string
  socketPath: string
}

/**
 * PostgreSQL in this process, in a thread of its own so that a long query never holds up the API, reached through the
 * wire protocol: one driver serves both kinds of database. It is one session, so the pool has one connection.
 */
export async function openEmbedded(dataDir: string): Promise<Database> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = lockDataFolder(dataDir)
  const socket = socketFor(dataDir)
  const workerData: EmbeddedWorkerData = {
    databaseDir: join(dataDir, 'database'),
    socketPath: socket.path
  }
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), { workerData })

  async function dispose(): Promise<void> {
    await worker.terminate()
    socket.remove()
    lock.release()
  }

  try {
    await once(worker, 'message')
  } catch (error) {
    await dispose()
    throw error
  }

  const notifications = new EventEmitter().setMaxListeners(0)
  const pool = new Pool({
    max: 1,
    connectionTimeoutMillis: 30_000,
    user: 'postgres',
    database: 'postgres',
    stream: () => connectionTo(socket.path),
    application_name: 'pai'
  })
  pool.on('connect', (client) => {
    // One session is everybody's: whoever commits a NOTIFY is told of it, and passes it on here.
    client.on('notification', (message) => notifications.emit(message.channel, message.payload ?? ''))
  })

  return {
    kind: 'embedded',
    pool,
    ...createTransactions(pool),
    async listen(channel, onNotify, onReconnect) {
      await pool.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
      notifications.on(channel, onNotify)
      onReconnect()
      return {
        async close() {
          notifications.off(channel, onNotify)
        }
      }
    },
    async close() {
      await pool.end()
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

/** pg dials by port and host; this socket dials the embedded database whatever it is told. */
function connectionTo(path: string): net.Socket {
  const socket = new net.Socket()
  const dial = socket.connect.bind(socket)
  socket.connect = () => dial(path)
  return socket
}
