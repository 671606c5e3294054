import { existsSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import type { EmbeddedWorkerData } from './embedded-thread.ts'
import { createDatabaseDir } from './prepared.ts'

// The thread that `openEmbedded` starts: opens the database, serves its socket, closes when told.
const { databaseDir, socketPath } = workerData as EmbeddedWorkerData
if (!existsSync(databaseDir)) await createDatabaseDir(databaseDir)
const database = await PGlite.create({ dataDir: databaseDir, extensions: { vector } })
const server = new PGLiteSocketServer({ db: database, path: socketPath, maxConnections: 2 })
await server.start()

parentPort?.on('message', async () => {
  await server.stop()
  await database.close()
  parentPort?.postMessage('closed')
})
parentPort?.postMessage('ready')
