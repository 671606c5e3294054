import { setTimeout as sleep } from 'node:timers/promises'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { DatabaseUnavailable, OwnerGone } from './errors.ts'
import { KEPT_PLAN } from './kept-plans.ts'
import { assertNoTransaction, insideTransaction, type Pool } from './pool.ts'
import { ask, type Statement } from './statement.ts'

/** A drizzle handle on one open transaction. */
export type Tx = NodePgDatabase & { $client: pg.PoolClient }

/** One connection, from the pool or of its own. */
export type Connection = pg.Client | pg.PoolClient

export interface Listener {
  close(): Promise<void>
}

export interface Database {
  kind: 'postgres' | 'embedded'
  pool: Pool
  /**
   * Runs `work` in one transaction as the unprivileged role, with row-level security set to this owner. A deadlock is
   * tried again, so `work` holds nothing but database work: no network call, no use of the pool.
   */
  inOwner<T>(ownerId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** The same for work that only reads: its answer does not wait for the transaction's end. */
  readInOwner<T>(ownerId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** The same for a search by vectors: an index goes on looking until it has found enough rows of this owner's. */
  searchInOwner<T>(ownerId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** The same for one statement alone, which travels with the beginning and the end of its transaction. */
  oneInOwner<Row extends pg.QueryResultRow>(ownerId: string, statement: Statement<Row>): Promise<Row[]>
  /** The same for one that only reads. */
  readOneInOwner<Row extends pg.QueryResultRow>(ownerId: string, statement: Statement<Row>): Promise<Row[]>
  /** The same without an owner: sees no owner's row, only what the functions in `db/system.ts` answer. */
  inSystem<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  oneInSystem<Row extends pg.QueryResultRow>(statement: Statement<Row>): Promise<Row[]>
  /** The same for what turns under way depend on: it goes before all who wait for a connection. */
  firstInSystem<Row extends pg.QueryResultRow>(statement: Statement<Row>): Promise<Row[]>
  /** Calls back for each NOTIFY on `channel`; `onReconnect` after each (re)subscription, when some may have been missed. */
  listen(channel: string, onNotify: (payload: string) => void, onReconnect: () => void): Promise<Listener>
  /** What a server does by itself: forgets removed rows for good, and counts the others for the planner. */
  tidy(): Promise<void>
  close(): Promise<void>
}

/**
 * Without the first an index of vectors gives a large owner fewer rows than are there. Workers and compiled code pay where
 * much is read; starting them takes longer than a search.
 */
export const SEARCHING = `SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = 100;
  SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off`
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const RETRIED = new Set(['40001', '40P01'])
const MAX_TRIES = 3
/** How the foreign keys to an owner's account are named. */
const OWNER_KEY = '_owner_id_users_id_fk'

/**
 * Waits until all of these statements of one transaction are over, then throws what the first of those that failed did. Were the
 * failure passed on at once, its connection would be given back while the others may still have something to send.
 */
export async function allSettledOrThrow(statements: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(statements)).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

export type Transactions = Pick<
  Database,
  | 'inOwner'
  | 'readInOwner'
  | 'searchInOwner'
  | 'oneInOwner'
  | 'readOneInOwner'
  | 'inSystem'
  | 'oneInSystem'
  | 'firstInSystem'
>

/**
 * The transactions over a pool. Beginning one, dropping to `pai_app` and naming the owner is one round trip, and on a pool
 * whose connections pipeline it travels with the work's first statement: were it refused, that statement would find an
 * aborted transaction.
 */
export function createTransactions(pool: Pool): Transactions {
  const handles = new WeakMap<pg.PoolClient, Tx>()
  const pipelined = 'pipeline' in pool.options && pool.options.pipeline === true

  async function run<T>({ begin, reads, isWhole, isFirst }: Start, work: (tx: Tx) => Promise<T>): Promise<T> {
    assertNoTransaction()
    const client = await checkOut(isFirst ? pool.connectFirst() : pool.connect())
    const transaction = { open: true }
    let begun: Promise<unknown> = Promise.resolve()
    let end: Promise<Error | undefined> | undefined
    try {
      begun = client.query(begin)
      // Heard below, whatever the work does meanwhile.
      begun.catch(() => {})
      if (!pipelined) await begun
      const working = insideTransaction(transaction, () => work(handleOf(client)))
      const committing = isWhole && pipelined ? commit(client) : undefined
      // Heard below, unless the work has failed and there is nothing to commit.
      committing?.catch(() => {})
      const result = await working
      await begun
      const committed = committing ?? commit(client)
      // A connection on which reading ends badly is not given to anyone else.
      if (reads) end = committed.then(...SETTLED)
      else await committed
      return result
    } catch (error) {
      end = client.query('ROLLBACK').then(...SETTLED)
      await end
      await begun
      throw error
    } finally {
      transaction.open = false
      if (end) end.then((broken) => client.release(broken))
      else client.release()
    }
  }

  function handleOf(client: pg.PoolClient): Tx {
    let tx = handles.get(client)
    if (!tx) {
      tx = drizzle(client)
      handles.set(client, tx)
    }
    return tx
  }

  async function runWithRetry<T>(start: Start, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(start, work)
      } catch (error) {
        // An access token outlives a removed account by some minutes.
        if (brokenConstraint(error)?.endsWith(OWNER_KEY)) throw new OwnerGone({ cause: error })
        if (attempt === MAX_TRIES || !RETRIED.has(sqlState(error) ?? '')) throw error
        // At once, it could take again what the other transaction has just been let through to.
        await sleep(attempt * (10 + Math.random() * 40))
      }
    }
  }

  const one =
    <Row extends pg.QueryResultRow>(statement: Statement<Row>) =>
    (tx: Tx) =>
      ask(tx, statement)

  return {
    inOwner: (ownerId, work) => runWithRetry({ begin: beginAs(ownerId, 'BEGIN') }, work),
    readInOwner: (ownerId, work) =>
      runWithRetry({ begin: beginAs(ownerId, 'BEGIN READ ONLY'), reads: true }, work),
    searchInOwner: (ownerId, work) =>
      runWithRetry(
        { begin: beginAs(ownerId, 'BEGIN READ ONLY', `${SEARCHING}; ${KEPT_PLAN}`), reads: true },
        work
      ),
    oneInOwner: (ownerId, statement) =>
      runWithRetry({ begin: beginAs(ownerId, 'BEGIN'), isWhole: true }, one(statement)),
    readOneInOwner: (ownerId, statement) =>
      runWithRetry(
        { begin: beginAs(ownerId, 'BEGIN READ ONLY'), reads: true, isWhole: true },
        one(statement)
      ),
    inSystem: (work) => runWithRetry({ begin: BEGIN_SYSTEM }, work),
    oneInSystem: (statement) => runWithRetry({ begin: BEGIN_SYSTEM, isWhole: true }, one(statement)),
    firstInSystem: (statement) =>
      runWithRetry({ begin: BEGIN_SYSTEM, isWhole: true, isFirst: true }, one(statement))
  }
}

interface Start {
  begin: string
  /** Nothing depends on how it ends. */
  reads?: boolean
  /** The work sends all it has to ask at once, so that the commit can be sent behind it. */
  isWhole?: boolean
  /** It goes before all who wait for a connection. */
  isFirst?: boolean
}

const BEGIN_SYSTEM = `BEGIN; SET LOCAL ROLE pai_app; SET LOCAL pai.owner_id = ''`

/**
 * What an owner has is reached by its keys. A plan that is kept, such as a foreign key's, would else go on reading all of a table
 * that was small when it was made.
 */
const BY_KEYS = 'SET LOCAL enable_seqscan = off'

/** What a settled end means for its connection: nothing, or why it cannot be used again. */
const SETTLED = [() => undefined, (error: Error) => error] as const

function beginAs(ownerId: string, begin: string, settings = BY_KEYS): string {
  // The id goes into the statement's text, so only the shape of a UUID may pass.
  if (!UUID.test(ownerId)) throw new TypeError('An owner id must be a UUID')
  return `${begin}; SET LOCAL ROLE pai_app; SET LOCAL pai.owner_id = '${ownerId}'; ${settings}`
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT')
  // Work that swallowed a statement's error would otherwise be told that it is stored.
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a statement in it had failed')
}

async function checkOut(connecting: Promise<pg.PoolClient>): Promise<pg.PoolClient> {
  try {
    return await connecting
  } catch (cause) {
    throw new DatabaseUnavailable({ cause })
  }
}

/** The SQLSTATE of a database error, through drizzle's wrapper. */
export function sqlState(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof pg.DatabaseError) return current.code
  }
  return undefined
}

/** The name of the constraint a write broke, if that is why it failed. */
export function brokenConstraint(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof pg.DatabaseError) return current.constraint
  }
  return undefined
}
