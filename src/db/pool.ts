import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'
import { isTracing } from '../telemetry/traced.ts'
import { traceStatements } from './trace-statements.ts'

type Callback = Parameters<pg.Pool['connect']>[0]

/** The transaction the caller's code runs in. Work it set going may outlive it, so its end is marked. */
const surrounding = new AsyncLocalStorage<{ open: boolean }>()

/** Runs `work` as part of a transaction that is open until `transaction` says otherwise. */
export function insideTransaction<T>(transaction: { open: boolean }, work: () => T): T {
  return surrounding.run(transaction, work)
}

/** Throws when the caller is inside a transaction, where another connection must not be asked for. */
export function assertNoTransaction(): void {
  if (surrounding.getStore()?.open) {
    throw new Error('The pool was used inside a transaction: pass its tx on instead')
  }
}

/**
 * A pool that refuses to be used inside a transaction, where waiting for its own connection would never end, and in which
 * what a turn under way depends on need not queue up behind whoever asks for something new.
 */
export class Pool extends pg.Pool {
  #free: number
  readonly #first: (() => void)[] = []
  readonly #others: (() => void)[] = []

  constructor(options: pg.PoolConfig & { max: number }) {
    super(options)
    this.#free = options.max
    // A connection that breaks is replaced by the pool, and fails whoever is using it; unhandled, its error would end the
    // process.
    this.on('error', () => {})
    this.on('connect', (client) => {
      client.on('error', () => {})
      if (isTracing()) traceStatements(client)
    })
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    assertNoTransaction()
    const client = this.#connect(this.#others)
    if (!callback) return client
    client.then(
      (got) => callback(undefined, got, (error) => got.release(error)),
      (error) => callback(error, undefined, () => {})
    )
    return undefined
  }

  /** A connection before all who wait for one by `connect`. */
  connectFirst(): Promise<pg.PoolClient> {
    assertNoTransaction()
    return this.#connect(this.#first)
  }

  async #connect(queue: (() => void)[]): Promise<pg.PoolClient> {
    if (this.#free > 0) this.#free--
    else await this.#wait(queue)
    try {
      const client = await super.connect()
      const { release } = client
      client.release = (error) => {
        release.call(client, error)
        this.#pass()
      }
      return client
    } catch (error) {
      this.#pass()
      throw error
    }
  }

  #wait(queue: (() => void)[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        clearTimeout(timer)
        resolve()
      }
      const giveUp = () => {
        queue.splice(queue.indexOf(go), 1)
        reject(new Error('No connection was free in time'))
      }
      const { connectionTimeoutMillis } = this.options
      const timer = connectionTimeoutMillis ? setTimeout(giveUp, connectionTimeoutMillis) : undefined
      queue.push(go)
    })
  }

  /** Passes a connection that is free again to who is next. */
  #pass(): void {
    const next = this.#first.shift() ?? this.#others.shift()
    if (next) next()
    else this.#free++
  }
}
