import { once } from 'node:events'
import net from 'node:net'
import { sql } from 'drizzle-orm'
import { expect, test, vi } from 'vitest'
import { connectPostgres } from '../../src/db/postgres.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'

describeEachDatabase('listen', (database, kind) => {
  const notify = (channel: string, payload: string) =>
    database().inSystem((tx) => tx.execute(sql`SELECT pg_notify(${channel}, ${payload})`))

  test('a notification arrives once its transaction has committed, and only then', async () => {
    const heard: string[] = []
    const listener = await database().listen(
      'committed',
      (payload) => heard.push(payload),
      () => {}
    )
    const owner = await createOwner(database())
    await database().inOwner(owner, async (tx) => {
      await tx.execute(sql`SELECT pg_notify('committed', 'first')`)
      await tx.execute(sql`SELECT 1`)
      expect(heard).toEqual([])
    })
    await vi.waitFor(() => expect(heard).toEqual(['first']))
    const undone = database().inOwner(owner, async (tx) => {
      await tx.execute(sql`SELECT pg_notify('committed', 'undone')`)
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    await notify('committed', 'last')
    await vi.waitFor(() => expect(heard).toEqual(['first', 'last']))
    await listener.close()
  })

  test('each listener hears its own channel, and nothing after it is closed', async () => {
    const heard: string[] = []
    const one = await database().listen(
      'one',
      (payload) => heard.push(`one ${payload}`),
      () => {}
    )
    const again = await database().listen(
      'one',
      (payload) => heard.push(`again ${payload}`),
      () => {}
    )
    const other = await database().listen(
      'other',
      (payload) => heard.push(`other ${payload}`),
      () => {}
    )
    await notify('one', 'a')
    await notify('other', 'b')
    await vi.waitFor(() => expect(heard.toSorted()).toEqual(['again a', 'one a', 'other b']))
    await one.close()
    await notify('one', 'c')
    await vi.waitFor(() => expect(heard.toSorted()).toEqual(['again a', 'again c', 'one a', 'other b']))
    await again.close()
    await other.close()
  })

  test('a channel may have any name', async () => {
    const heard: string[] = []
    const name = 'Turn "9"; SELECT 1 --'
    const listener = await database().listen(
      name,
      (payload) => heard.push(payload),
      () => {}
    )
    await notify(name, 'x')
    await vi.waitFor(() => expect(heard).toEqual(['x']))
    await listener.close()
  })

  test('it goes on when the pool has let go of its connections', async () => {
    const heard: string[] = []
    const listener = await database().listen(
      'idle',
      (payload) => heard.push(payload),
      () => {}
    )
    const { pool } = database()
    pool.options.idleTimeoutMillis = 1
    await pool.query('SELECT 1')
    await vi.waitFor(() => expect(pool.totalCount).toBe(0))
    await notify('idle', 'still here')
    await vi.waitFor(() => expect(heard).toEqual(['still here']))
    await listener.close()
  })

  if (kind === 'embedded') return

  const killListener = async (): Promise<number> => {
    const { rowCount } = await database().pool.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE application_name = 'pai listen' AND datname = current_database()`
    )
    return rowCount ?? 0
  }

  test('a listener that loses its connection takes another, and says that it may have missed something', async () => {
    const heard: string[] = []
    let subscriptions = 0
    const listener = await database().listen(
      'cut',
      (payload) => heard.push(payload),
      () => {
        subscriptions++
      }
    )
    expect(subscriptions).toBe(1)
    expect(await killListener()).toBe(1)
    await notify('cut', 'missed')
    await vi.waitFor(() => expect(subscriptions).toBe(2), { timeout: 5_000 })
    await notify('cut', 'heard')
    await vi.waitFor(() => expect(heard).toEqual(['heard']))
    await listener.close()
  })

  test('closing a listener while it takes another connection leaves none behind', async () => {
    const url = new URL(database().pool.options.connectionString ?? '')
    const gate = await openGate(Number(url.port))
    url.port = String(gate.port)
    const behindGate = connectPostgres(url.href, 1)
    const listener = await behindGate.listen(
      'closed',
      () => {},
      () => {}
    )
    const reconnecting = gate.holdNext()
    expect(await killListener()).toBe(1)
    const letThrough = await reconnecting
    await listener.close()
    await letThrough()
    await behindGate.close()
    await gate.close()
  })
})

/** Stands between a client and the server, and can keep the next connection waiting. */
async function openGate(serverPort: number) {
  let onHeld: ((letThrough: () => Promise<void>) => void) | undefined
  const gate = net.createServer({ pauseOnConnect: true }, (client) => {
    async function letThrough(): Promise<void> {
      const server = net.connect(serverPort, '127.0.0.1')
      client.pipe(server).pipe(client)
      for (const socket of [client, server]) socket.on('error', () => {})
      await once(server, 'close')
    }
    if (!onHeld) return void letThrough()
    onHeld(letThrough)
    onHeld = undefined
  })
  gate.listen(0, '127.0.0.1')
  await once(gate, 'listening')
  return {
    port: (gate.address() as net.AddressInfo).port,
    /** Answers, once a connection waits, what lets it through; that answers when the connection has ended. */
    holdNext: () =>
      new Promise<() => Promise<void>>((resolve) => {
        onHeld = resolve
      }),
    async close() {
      gate.close()
      await once(gate, 'close')
    }
  }
}
