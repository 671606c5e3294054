import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { openEmbedded } from '../../../src/db/embedded.ts'
import { connectPostgres } from '../../../src/db/postgres.ts'
import { schemaOf } from '../../support/schema.ts'
import { connect } from '../clients.ts'
import { type PaiProcess, runPai, type Settings } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

const INSIDE = join(import.meta.dirname, '..', 'inside', 'die-at-statement.ts')
const DATABASE = 'killed'
/** Every so many statements PAI is started again at once, whatever was left: nobody looks first, and the dead one may still be at work. */
const AT_ONCE_EVERY = 10

/** So many statements at the end of a migration are its own, and not those of a start. */
const LAST_OF_MIGRATION = 12

/**
 * R13: a first start is killed at each of its statements: up to the end of the migration as a delivery begins it, from
 * there on as a whole. The next one, or two at once, bring it to the same end. What a kill left is looked at: from the same
 * leavings the way on is the same, so it is gone once by two nodes and once by one.
 */
export const killMigration: FaultProgram = {
  id: 'R13',
  title: 'a first start is killed at every statement',
  databases: ['postgres', 'embedded'],
  // The full round ends after the last statement of the start. On the embedded database each takes longer.
  rounds: { quick: 2, full: 1_000 },
  minutes: 20,
  async run(rig, rounds, tally) {
    const whole = await beginAnew(rig, 'whole')
    const node = await rig.startNode(whole, { inside: INSIDE })
    const statements = await node.ask<number>('how many?')
    await node.stop()
    const wanted = await checksumOf(rig, whole)
    let fresh = await beginAnew(rig, 'fresh', whole)
    if (rounds < statements) {
      for (; tally.played < rounds; tally.played++) {
        const number = rig.random(statements)
        await killAt(rig, fresh, number, false, tally)
        await goOn(rig, fresh, number, nodesAgain(rig, number), wanted, tally)
        fresh = await beginAnew(rig, `after-${number}`, fresh)
      }
      return
    }
    const nothing = await checksumOf(rig, fresh, true)
    const { output } = await migrate(rig, fresh)
    const ofMigration = Number(/^(\d+) statements$/m.exec(output)?.[1]) - LAST_OF_MIGRATION
    fresh = await beginAnew(rig, 'migrated', fresh)
    /** How often PAI has been started again on what was left. */
    const again = new Map<string, number>()
    for (let number = 0; number < statements; number += rig.kind === 'embedded' ? 4 : 1, tally.played++) {
      await killAt(rig, fresh, number, number < ofMigration, tally)
      const left = tally.played % AT_ONCE_EVERY === 0 ? null : await leftAfter(rig, fresh)
      const times = left === null ? tally.acknowledged % 2 : (again.get(left) ?? 0)
      if (left !== null) again.set(left, times + 1)
      if (times < 2) await goOn(rig, fresh, number, nodesAgain(rig, times), wanted, tally)
      // Where nothing was left and nobody went on, it is as fresh as before.
      if (times < 2 || left !== nothing) fresh = await beginAnew(rig, `after-${number}`, fresh)
    }
  }
}

/** Where there can be two nodes, every second time there are. */
function nodesAgain({ kind }: Rig, times: number): number {
  return kind === 'postgres' && times % 2 === 0 ? 2 : 1
}

async function killAt(
  rig: Rig,
  settings: Settings,
  number: number,
  migrates: boolean,
  tally: Tally
): Promise<void> {
  const die = migrates ? migrateAndDie : startAndDie
  if (!(await die(rig, settings, number))) tally.broken.push(`statement ${number} was not reached`)
}

/** So many nodes start at the same moment on what was left, and one of them migrates. It ends where every start ends, and works. */
async function goOn(
  rig: Rig,
  settings: Settings,
  number: number,
  count: number,
  wanted: string,
  tally: Tally
): Promise<void> {
  const began = performance.now()
  const nodes = await Promise.all(Array.from({ length: count }, () => rig.startNode(settings)))
  tally.recoveredMs.push(performance.now() - began)
  const text = `After statement ${number}`
  const [first] = nodes as [PaiProcess]
  const api = connect(first.url, await rig.register(first))
  await api.send({ key: text, text, conversationId: undefined, streams: false })
  tally.acknowledged++
  for (const one of nodes) await one.stop()
  const got = await checksumOf(rig, settings)
  if (got !== wanted) tally.broken.push(`killed at statement ${number}, the schema is another in the end`)
}

/** Nothing is there, not even the roles, which belong to the whole server. */
async function beginAnew({ postgres, folder }: Rig, name: string, before?: Settings): Promise<Settings> {
  if (before?.PAI_DATA_DIR) rmSync(before.PAI_DATA_DIR, { recursive: true, maxRetries: 5 })
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

function migrate(rig: Rig, settings: Settings) {
  const how = { inside: INSIDE, args: ['--migrate'] }
  return runPai({ ...rig.settings, ...settings }, rig.whenOver, how)
}

async function migrateAndDie(rig: Rig, settings: Settings, number: number): Promise<boolean> {
  const { code } = await migrate(rig, { ...settings, PAI_FAULTS_DIE_AT: String(number) })
  return code === null
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

/** All that is there once the dead one's connections are gone, too: until then one of them may be at its last statement. */
async function leftAfter(rig: Rig, settings: Settings): Promise<string> {
  if (!rig.postgres) return checksumOf(rig, settings, true)
  const client = new pg.Client({ connectionString: settings.DATABASE_URL })
  await client.connect()
  for (;;) {
    const { rowCount } = await client.query(
      'SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
    )
    if (rowCount === 0) break
    await wait(5)
  }
  await client.end()
  return checksumOf(rig, settings, true)
}

/** Everything a migration makes: what is ours, how often each step ran, and the queue's. With `rows`, whatever else there is. */
async function checksumOf({ kind }: Rig, settings: Settings, rows = false): Promise<string> {
  const database =
    kind === 'postgres'
      ? connectPostgres(settings.DATABASE_URL ?? '', 1)
      : await openEmbedded(settings.PAI_DATA_DIR ?? '')
  const list = async (sql: string) => (await database.pool.query(sql)).rows
  try {
    const tables = await list(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`
    )
    const names: string[] = tables.map(({ name }) => name)
    const lines = await schemaOf(database, ['public', 'system', 'migrations', 'pgboss'])
    for (const [table, sql] of Object.entries(KEPT))
      if (names.includes(table)) lines.push(JSON.stringify(await list(sql)))
    if (rows) {
      lines.push(...names, JSON.stringify(await list(BESIDES)))
      const counts = names.map((name) => `SELECT count(*) FROM ${name}`)
      if (counts.length > 0) lines.push(JSON.stringify(await list(counts.join(' UNION ALL '))))
    }
    return createHash('sha256').update(lines.join('\n')).digest('hex')
  } finally {
    await database.close()
  }
}

/** Rows that a migration writes, by their table. */
const KEPT = {
  'migrations.__drizzle_migrations': 'SELECT hash FROM migrations.__drizzle_migrations ORDER BY id',
  'migrations.current': 'SELECT fingerprint FROM migrations.current',
  'pgboss.queue':
    'SELECT name, retry_limit, retry_delay, expire_seconds, dead_letter FROM pgboss.queue ORDER BY name'
}
/** What is neither in a table nor in a schema of ours. */
const BESIDES = `
  SELECT concat_ws(' ', 'role', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls,
                   (SELECT string_agg(rolconfig, ' ') FROM unnest(rolconfig) rolconfig)) AS line
    FROM pg_roles WHERE rolname LIKE 'pai%'
  UNION ALL SELECT concat_ws(' ', 'member', roleid::regrole, member::regrole, admin_option) FROM pg_auth_members
  UNION ALL SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, nspacl::text) FROM pg_namespace
             WHERE nspname !~ '^pg_(toast_)?temp'
  UNION ALL SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension
  ORDER BY 1`
