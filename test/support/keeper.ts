import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from './postgres-server.ts'

// The process that `global-setup.ts` starts beside a test run. It owns the throwaway server and cleans up when its channel to
// the run breaks: at the end, or because the run was killed and could clean up nothing itself.
const request = JSON.parse(process.argv[2] ?? '') as KeeperRequest

export interface KeeperRequest {
  /** Removed at the end. */
  folder: string
  /** Where PostgreSQL is, to start a server; or null. */
  bin: string | null
  /** A server that was there before, whose databases of this run are dropped; or null. */
  serverUrl: string | null
  databasePrefix: string
}
export type KeeperAnswer = { url: string | null } | { error: string }

const answer = (message: KeeperAnswer) => process.send?.(message)
let server: { url: string; stop(): Promise<void> } | undefined

process.on('disconnect', async () => {
  try {
    await server?.stop()
    if (request.serverUrl) await dropDatabases(request.serverUrl, request.databasePrefix)
  } finally {
    rmSync(request.folder, { recursive: true, force: true, maxRetries: 5 })
    process.exit()
  }
})

try {
  if (request.bin) server = await startPostgres(request.bin, join(request.folder, 'postgres'))
  answer({ url: server?.url ?? request.serverUrl })
} catch (error) {
  answer({ error: String(error) })
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ datname: string }>(
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [prefix]
  )
  for (const { datname } of rows) {
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(datname)} WITH (FORCE)`)
  }
  await client.end()
}
