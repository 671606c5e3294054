import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbedded } from '../../../src/db/embedded.ts'
import { connectPostgres } from '../../../src/db/postgres.ts'
import { schemaOf } from '../../support/schema.ts'
import { connect } from '../clients.ts'
import type { PaiProcess, Settings } from '../pai-process.ts'
import type { FaultProgram } from '../program.ts'
import type { Rig } from '../rig.ts'

const INSIDE = join(import.meta.dirname, '..', 'inside', 'die-at-statement.ts')
const DATABASE = 'killed'

/** R13: a first start is killed at each of its statements. The next one, or two at once, bring it to the same end. */
export const killMigration: FaultProgram = {
  id: 'R13',
  title: 'a first start is killed at every statement',
  databases: ['postgres', 'embedded'],
  // The full round ends after the last statement of the start. On the embedded database each takes longer.
  rounds: { quick: 2, full: 1_000 },
  async run(rig, rounds, tally) {
    const whole = await beginAnew(rig, 'whole')
    const node = await rig.startNode(whole, { inside: INSIDE })
    const statements = await node.ask<number>('how many?')
    await node.stop()
    const wanted = await checksumOf(rig, whole)
    const isFull = rounds >= statements
    const step = isFull && rig.kind === 'embedded' ? 4 : 1
    const numbers = Array.from({ length: statements }, (_, number) => number)
    const chosen = isFull
      ? numbers.filter((number) => number % step === 0)
      : Array.from({ length: rounds }, () => rig.random(statements))
    for (const number of chosen) {
      const settings = await beginAnew(rig, `at-${number}`)
      const killed = await startAndDie(rig, settings, number)
      if (!killed) tally.broken.push(`statement ${number} was not reached`)
      const began = performance.now()
      const nodes = await startAgain(rig, settings, number)
      tally.recoveredMs.push(performance.now() - began)
      const text = `After statement ${number}`
      const [first] = nodes as [PaiProcess]
      const api = connect(first.url, await rig.register(first))
      await api.send({ key: text, text, conversationId: undefined, streams: false })
      tally.acknowledged++
      for (const one of nodes) await one.stop()
      const got = await checksumOf(rig, settings)
      if (got !== wanted) tally.broken.push(`killed at statement ${number}, the schema is another in the end`)
      if (rig.kind === 'embedded') rmSync(settings.PAI_DATA_DIR ?? '', { recursive: true, maxRetries: 5 })
      tally.played++
    }
  }
}

/** Nothing is there, not even the roles, which belong to the whole server. */
async function beginAnew({ postgres, folder }: Rig, name: string): Promise<Settings> {
  if (!postgres) return { PAI_DATA_DIR: join(folder, name) }
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`)
  await client.query('DROP ROLE IF EXISTS pai_app, pai_system, pai_owner')
  await client.query(`CREATE DATABASE ${DATABASE}`)
  await client.end()
  const url = new URL(postgres.url)
  url.pathname = DATABASE
  return { DATABASE_URL: url.href }
}

async function startAndDie(rig: Rig, settings: Settings, number: number): Promise<boolean> {
  return rig.startNode({ ...settings, PAI_FAULTS_DIE_AT: String(number) }, { inside: INSIDE }).then(
    async (node) => {
      await node.stop()
      return false
    },
    () => true
  )
}

/** Where there can be two nodes, they start at the same moment every third time, and one of them migrates. */
function startAgain(rig: Rig, settings: Settings, number: number): Promise<PaiProcess[]> {
  const count = rig.kind === 'postgres' && number % 3 === 0 ? 2 : 1
  return Promise.all(Array.from({ length: count }, () => rig.startNode(settings)))
}

/** Everything a migration makes: what is ours, how often each step ran, and the queue's. */
async function checksumOf({ kind }: Rig, settings: Settings): Promise<string> {
  const database =
    kind === 'postgres'
      ? connectPostgres(settings.DATABASE_URL ?? '', 1)
      : await openEmbedded(settings.PAI_DATA_DIR ?? '')
  try {
    const lines = await schemaOf(database)
    for (const sql of [
      'SELECT hash FROM migrations.__drizzle_migrations ORDER BY id',
      'SELECT fingerprint FROM migrations.current',
      'SELECT name, retry_limit, retry_delay, expire_seconds, dead_letter FROM pgboss.queue ORDER BY name',
      `SELECT table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'pgboss' ORDER BY 1, 2`
    ]) {
      const { rows } = await database.pool.query(sql)
      lines.push(JSON.stringify(rows))
    }
    return createHash('sha256').update(lines.join('\n')).digest('hex')
  } finally {
    await database.close()
  }
}
