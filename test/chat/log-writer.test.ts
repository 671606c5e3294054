import { v7 as uuidv7 } from 'uuid'
import { expect, onTestFinished, test } from 'vitest'
import { acceptMessage } from '../../src/chat/accept-message.ts'
import { createLogWriter, readGrownLogs } from '../../src/chat/log-writer.ts'
import { readLog } from '../../src/chat/turn-log-store.ts'
import { openBus } from '../../src/db/bus.ts'
import type { Database } from '../../src/db/client.ts'
import type { LogPart } from '../../src/db/system.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const words = (text: string) => ({ type: 'text-delta', data: { text } })

describeEachDatabase('the writer of turn logs', (database, kind) => {
  /** A writer, the transactions it has begun, and what the bus has told. */
  async function setUp() {
    const runnerId = uuidv7()
    const bus = await openBus(database())
    onTestFinished(() => bus.close())
    const told: string[] = []
    bus.hear('turn-log', (message) => told.push(...readGrownLogs(message, 'a reader')))
    let transactions = 0
    const counted: Database = {
      ...database(),
      firstInSystem: (statement) => {
        transactions++
        return database().firstInSystem(statement)
      }
    }
    const write = createLogWriter({ database: counted, bus, runnerId })
    const store = (part: LogPart) => write(() => part, false)
    return { runnerId, write, store, told, transactions: () => transactions }
  }

  async function beginTurn(runnerId: string) {
    const ownerId = await createOwner(database())
    const turn = {
      id: uuidv7(),
      conversationId: uuidv7(),
      userMessageId: uuidv7(),
      model: 'scripted',
      options: { useMemory: true },
      runnerId
    }
    const message = { text: 'Hi', parentId: undefined, begins: { title: 'Hi', temporary: false } }
    await database().oneInOwner(ownerId, acceptMessage(ownerId, turn, message, null))
    const stored = async () =>
      (await database().inOwner(ownerId, (tx) => readLog(tx, ownerId, turn.id, 1)))?.events ?? []
    return { ownerId, turnId: turn.id, stored }
  }

  test('the turns of many owners share a transaction, and each gets its own events', async () => {
    const { runnerId, store, told, transactions } = await setUp()
    const turns = await Promise.all(Array.from({ length: 20 }, () => beginTurn(runnerId)))
    const held = await Promise.all(
      turns.map(({ ownerId, turnId }) =>
        store({ ownerId, turnId, firstId: 2, events: [words(turnId), words('!')] })
      )
    )
    expect(held).toEqual(turns.map(() => true))
    expect(transactions()).toBe(1)
    for (const { turnId, stored } of turns) {
      expect(await stored()).toEqual([
        { id: 2, ...words(turnId) },
        { id: 3, ...words('!') }
      ])
    }
    await eventually(() => expect(told.toSorted()).toEqual(turns.map(({ turnId }) => turnId).toSorted()))
  })

  test('what comes while one transaction is under way goes in the next, with all that has come until then', async () => {
    const { runnerId, write, transactions } = await setUp()
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => beginTurn(runnerId)))
    if (!first) throw new Error('Three turns were begun')
    const begun = Promise.withResolvers<void>()
    const writing = write(() => {
      begun.resolve()
      return { ...first, firstId: 2, events: [words('a')] }
    }, true)
    await begun.promise
    const gathered: string[] = []
    const later = others.map((turn) => {
      const take = () => ({ ...turn, firstId: 2, events: gathered.map(words) })
      return write(take, false)
    })
    gathered.push('b', 'c')
    expect(await Promise.all([writing, ...later])).toEqual([true, true, true])
    expect(transactions()).toBe(2)
    for (const { stored } of others)
      expect(await stored()).toEqual([
        { id: 2, ...words('b') },
        { id: 3, ...words('c') }
      ])
  })

  test('a turn that has nothing to add any more is asked, and let go', async () => {
    const { write, transactions } = await setUp()
    expect(await write(() => null, false)).toBe(true)
    expect(transactions()).toBe(0)
  })

  test('a turn of another runner, and one that has ended, take nothing, and hold up nobody', async () => {
    const { runnerId, store } = await setUp()
    const [mine, others, ended] = await Promise.all([
      beginTurn(runnerId),
      beginTurn(uuidv7()),
      beginTurn(runnerId)
    ])
    await database().pool.query(`UPDATE turns SET status = 'interrupted' WHERE id = $1`, [ended.turnId])
    const parts = [mine, others, ended].map(({ ownerId, turnId }) => ({
      ownerId,
      turnId,
      firstId: 2,
      events: [words('Hello')]
    }))
    expect(await Promise.all(parts.map(store))).toEqual([true, false, false])
    expect(await mine.stored()).toEqual([{ id: 2, ...words('Hello') }])
    expect([...(await others.stored()), ...(await ended.stored())]).toEqual([])
  })

  test('what cannot be stored fails alone', async () => {
    const { runnerId, store } = await setUp()
    const [first, good, bad] = await Promise.all([1, 2, 3].map(() => beginTurn(runnerId)))
    if (!first || !good || !bad) throw new Error('Three turns were begun')
    const part = ({ ownerId, turnId }: typeof good, text: string) => ({
      ownerId,
      turnId,
      firstId: 2,
      events: [words(text)]
    })
    const answers = await Promise.allSettled([
      store(part(first, 'a')),
      store(part(good, 'b')),
      // No database holds a NUL: cleaned replies have none.
      store(part(bad, '\0'))
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(await good.stored()).toEqual([{ id: 2, ...words('b') }])
  })

  test('stored twice, because an answer was lost, it is there once', async () => {
    const { runnerId, store } = await setUp()
    const { ownerId, turnId, stored } = await beginTurn(runnerId)
    const part = { ownerId, turnId, firstId: 2, events: [words('Hello')] }
    expect([await store(part), await store(part)]).toEqual([true, true])
    expect(await stored()).toEqual([{ id: 2, ...words('Hello') }])
  })

  if (kind === 'embedded') return // One connection cannot lock out another.

  test('a turn that somebody has locked holds up no other, and its own events wait in their order', async () => {
    const { runnerId, store, told } = await setUp()
    const [locked, removed, other] = await Promise.all([1, 2, 3].map(() => beginTurn(runnerId)))
    if (!locked || !removed || !other) throw new Error('Three turns were begun')
    const say = ({ ownerId, turnId }: typeof other, firstId: number, text: string) =>
      store({ ownerId, turnId, firstId, events: [words(text)] })
    const holder = await database().pool.connect()
    onTestFinished(() => holder.release())
    await holder.query('BEGIN')
    await holder.query('SELECT FROM turns WHERE id = $1 FOR UPDATE', [locked.turnId])
    await holder.query('DELETE FROM turns WHERE id = $1', [removed.turnId])
    const waiting = [say(locked, 2, 'a'), say(removed, 2, 'a')]
    expect(await say(other, 2, 'a')).toBe(true)
    expect(await say(other, 3, 'b')).toBe(true)
    expect(await other.stored()).toHaveLength(2)
    expect(await locked.stored()).toEqual([])
    await holder.query('COMMIT')
    expect(await Promise.all(waiting)).toEqual([true, false])
    expect(await say(locked, 3, 'b')).toBe(true)
    expect(await locked.stored()).toEqual([
      { id: 2, ...words('a') },
      { id: 3, ...words('b') }
    ])
    await eventually(() => expect(told).toContain(locked.turnId))
  })
})
