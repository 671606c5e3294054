import { Duplex } from 'node:stream'
import type pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Pool } from '../../src/db/pool.ts'
import { describeEachDatabase } from '../support/database.ts'

describeEachDatabase('the pool of connections', (database) => {
  async function takeAll(): Promise<{ free(): void }> {
    const { pool } = database()
    const [one, ...others] = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
    onTestFinished(() => {
      for (const client of others) client.release()
    })
    return { free: () => one?.release() }
  }

  test('what turns under way depend on goes before all who wait, who keep their order', async () => {
    const { pool } = database()
    const { free } = await takeAll()
    const order: string[] = []
    const take = async (name: string, connecting: Promise<pg.PoolClient>) => {
      const client = await connecting
      order.push(name)
      client.release()
    }
    const all = [
      take('third', pool.connect()),
      pool.query('SELECT 1').then(() => order.push('fourth')),
      take('fifth', pool.connect()),
      take('first', pool.connectFirst()),
      take('second', pool.connectFirst())
    ]
    free()
    await Promise.all(all)
    expect(order.slice(0, 3)).toEqual(['first', 'second', 'third'])
    expect(order.slice(3).toSorted()).toEqual(['fifth', 'fourth'])
  })

  test('a connection that is given back broken makes room for another', async () => {
    const { pool } = database()
    const { free } = await takeAll()
    const waiting = pool.connect()
    free()
    const broken = await waiting
    const next = pool.query('SELECT 1 AS one')
    broken.release(new Error('It broke'))
    expect((await next).rows).toEqual([{ one: 1 }])
  })
})

describe('a pool without a server', () => {
  const connectTo = (stream: () => Duplex) =>
    new Pool({ max: 1, connectionTimeoutMillis: 50, stream } as ConstructorParameters<typeof Pool>[0])

  test('a connection that cannot be made keeps nobody waiting', async () => {
    const pool = connectTo(() => {
      const refused = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      return Object.assign(refused, { connect: () => refused.destroy(new Error('Refused')) }, SOCKET)
    })
    const asked = await Promise.allSettled([pool.connect(), pool.query('SELECT 1'), pool.connectFirst()])
    expect(asked.map((one) => one.status === 'rejected' && one.reason.message)).toEqual(
      Array(3).fill('Refused')
    )
  })

  test('who has waited too long is told, and takes no place', async () => {
    let silent = 0
    const pool = connectTo(() => {
      silent++
      const nobody = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      return Object.assign(nobody, { connect() {} }, SOCKET)
    })
    const asked = await Promise.allSettled([pool.connect(), pool.connect(), pool.connect()])
    expect(asked.map(({ status }) => status)).toEqual(Array(3).fill('rejected'))
    expect(pool.totalCount).toBe(0)
    await expect(pool.connect()).rejects.toThrow('timeout')
    expect(silent).toBeGreaterThan(1)
  })
})

const SOCKET = { setNoDelay() {}, setKeepAlive() {}, ref() {}, unref() {} }
