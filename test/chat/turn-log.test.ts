import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { beforeAll, expect, test } from 'vitest'
import type { LoggedEvent, TurnEvent } from '../../src/chat/events.ts'
import { createTurnHub } from '../../src/chat/turn-hub.ts'
import { createTurnLog } from '../../src/chat/turn-log.ts'
import { acceptMessage, appendEvents, readLog } from '../../src/chat/turn-store.ts'
import type { Database } from '../../src/db/client.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const text = (words: string): TurnEvent => ({ type: 'text-delta', data: { text: words } })
const thought = (words: string): TurnEvent => ({ type: 'reasoning-delta', data: { text: words } })
const toolCall: TurnEvent = { type: 'tool-call', data: { callId: '1', name: 'look', arguments: '{}' } }

describeEachDatabase('the turn log', (database) => {
  let ownerId: string
  beforeAll(async () => {
    ownerId = await createOwner(database())
  })

  /** The log of a turn of its own, what watchers were told, and the writes that are to fail. */
  async function begin(failing: () => boolean = () => false) {
    const turnId = uuidv7()
    const turn = {
      id: turnId,
      conversationId: uuidv7(),
      userMessageId: uuidv7(),
      model: 'scripted',
      options: { useMemory: true },
      runnerId: uuidv7()
    }
    const message = { text: 'Hi', parentId: undefined, begins: { title: 'Hi', temporary: false } }
    await database().inOwner(ownerId, (tx) => acceptMessage(tx, ownerId, turn, message, sql`SELECT`))
    const hub = createTurnHub()
    const told: LoggedEvent[] = []
    hub.subscribe(turnId, (events) => told.push(...events))
    const unreliable: Database = {
      ...database(),
      inOwner: (owner, work) => (failing() ? away() : database().inOwner(owner, work))
    }
    const log = createTurnLog(unreliable, hub, ownerId, turnId)
    const stored = async () =>
      (await database().inOwner(ownerId, (tx) => readLog(tx, ownerId, turnId, 1)))?.events ?? []
    /** As the end of a turn does: what is still pending is stored with it. */
    async function end(): Promise<void> {
      await log.settle()
      const { firstId, events } = log.take()
      await database().inOwner(ownerId, (tx) => appendEvents(tx, ownerId, turnId, firstId, events))
      log.publish(firstId, events)
    }
    return { log, told, stored, end }
  }

  test('the first words go out at once, later ones gathered into few events', async () => {
    const { log, told, stored } = await begin()
    log.append(text('Hello'))
    await eventually(() => expect(told).toEqual([{ id: 2, ...text('Hello') }]))
    for (const letter of ' Countess') log.append(text(letter))
    await eventually(() => expect(told.slice(1)).toEqual([{ id: 3, ...text(' Countess') }]))
    expect(await stored()).toEqual(told)
  })

  test('words are gathered only with words of their kind that stand beside them', async () => {
    const { log, told, stored, end } = await begin()
    log.append(thought('First'))
    await eventually(() => expect(told).toHaveLength(1))
    for (const event of [thought(' hm'), thought('...'), text('a'), text('b'), toolCall, text('c')]) {
      log.append(event)
    }
    await end()
    expect(told.slice(1)).toEqual([
      { id: 3, ...thought(' hm...') },
      { id: 4, ...text('ab') },
      { id: 5, ...toolCall },
      { id: 6, ...text('c') }
    ])
    expect(await stored()).toEqual(told)
  })

  test('nobody is told of an event before it is stored', async () => {
    let away = true
    const { log, told, stored, end } = await begin(() => away)
    log.append(text('Hello'))
    await log.settle()
    expect(told).toEqual([])
    expect(await stored()).toEqual([])
    away = false
    await end()
    expect(told).toEqual([{ id: 2, ...text('Hello') }])
  })

  test('whichever write fails, the log ends whole, in order and without gaps', async () => {
    const script = fc.array(
      fc.record({
        event: fc.oneof(
          fc.string({ minLength: 1 }).filter(isStorable).map(text),
          fc.constant(toolCall),
          fc.string({ minLength: 1 }).filter(isStorable).map(thought)
        ),
        /** Whether the write under way may end before the next event comes. */
        pause: fc.boolean(),
        fails: fc.boolean()
      }),
      { minLength: 1, maxLength: 12 }
    )
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        let fails = false
        const { log, told, stored, end } = await begin(() => fails)
        for (const step of steps) {
          fails = step.fails
          log.append(step.event)
          if (step.pause) await log.settle()
          else await Promise.resolve()
        }
        fails = false
        await end()
        const rows = await stored()
        expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => index + 2))
        expect(told).toEqual(rows)
        expect(flatten(rows)).toBe(flatten(steps.map(({ event }) => event)))
      }),
      { numRuns: 40 }
    )
  })
})

/** It takes a moment to find out, in which more words come. */
function away(): Promise<never> {
  return new Promise((_, reject) => setImmediate(reject, new Error('the database is away')))
}

/** What a reader makes of events: the kinds in order, words of one kind run together. */
function flatten(events: TurnEvent[]): string {
  let last = ''
  return events
    .map((event) => {
      const kind = event.type === last ? '' : `<${event.type}>`
      last = event.type === 'tool-call' ? '' : event.type
      return kind + ('text' in event.data ? event.data.text : '')
    })
    .join('')
}

/** A database holds no NUL; what a model says is cleaned of it before. */
function isStorable(words: string): boolean {
  return !words.includes('\0')
}
