import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { acceptMessage } from '../../src/chat/accept-message.ts'
import { TurnInterrupted } from '../../src/chat/errors.ts'
import type { LoggedEvent, TurnEvent } from '../../src/chat/events.ts'
import { createLogWriter } from '../../src/chat/log-writer.ts'
import { createTurnHub } from '../../src/chat/turn-hub.ts'
import { createTurnLog } from '../../src/chat/turn-log.ts'
import { appendEvents, readLog } from '../../src/chat/turn-log-store.ts'
import { type Bus, openBus } from '../../src/db/bus.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import fc from '../support/properties.ts'

/** When a write fails: not, with nothing stored, or with all of it stored and only the answer lost. */
type Failure = 'never' | 'before' | 'after'

const text = (words: string): TurnEvent => ({ type: 'text-delta', data: { text: words } })
const thought = (words: string): TurnEvent => ({ type: 'reasoning-delta', data: { text: words } })
const toolCall: TurnEvent = { type: 'tool-call', data: { callId: '1', name: 'look', arguments: '{}' } }

describeEachDatabase('the turn log', (database) => {
  let ownerId: string
  let opened: Bus | undefined
  beforeAll(async () => {
    ownerId = await createOwner(database())
    opened = await openBus(database())
  })
  afterAll(() => opened?.close())
  const bus = () => opened as Bus

  /**
   * The log of a turn of its own, what watchers were told, and the writes that are to fail: before anything is stored, or
   * after all of it is, when only the answer is lost.
   */
  async function begin(failing: () => Failure = () => 'never') {
    const turnId = uuidv7()
    const runnerId = uuidv7()
    const turn = {
      id: turnId,
      conversationId: uuidv7(),
      userMessageId: uuidv7(),
      model: 'scripted',
      options: { useMemory: true },
      runnerId
    }
    const message = { text: 'Hi', parentId: undefined, begins: { title: 'Hi', temporary: false } }
    await database().oneInOwner(ownerId, acceptMessage(ownerId, turn, message, null))
    const hub = createTurnHub()
    const told: LoggedEvent[] = []
    hub.subscribe(turnId, (events) => told.push(...(events ?? [])))
    const write = createLogWriter({ database: database(), bus: bus(), runnerId })
    let writing: Promise<unknown> = Promise.resolve()
    const log = createTurnLog({
      storeEvents: (take, isUrgent) => {
        const failure = failing()
        const answer = (failure === 'before' ? Promise.resolve(true) : write(take, isUrgent)).then(
          async (held) => {
            if (failure !== 'never') await away()
            return held
          }
        )
        writing = answer.catch(() => {})
        return answer
      },
      hub,
      ownerId,
      turnId
    })
    const stored = async () =>
      (await database().inOwner(ownerId, (tx) => readLog(tx, ownerId, turnId, 1)))?.events ?? []
    /** As the end of a turn does: what is still pending is stored with it. */
    async function end(): Promise<void> {
      await log.settle()
      const { firstId, events } = log.take()
      await database().inOwner(ownerId, (tx) => appendEvents(tx, ownerId, turnId, firstId, events))
      log.publish(firstId, events)
    }
    return { log, told, stored, end, turnId, written: () => writing }
  }

  test('the first words go out at once, later ones gathered into few events', async () => {
    const { log, told, stored } = await begin()
    log.append(text('Hello'))
    await eventually(() => expect(told).toEqual([{ id: 2, ...text('Hello') }]))
    for (const letter of ' Countess') log.append(text(letter))
    await eventually(() => expect(told.slice(1)).toEqual([{ id: 3, ...text(' Countess') }]))
    expect(await stored()).toEqual(told)
  })

  test('a reply that comes in one piece is told of before its turn is ended', async () => {
    const { log, told, stored } = await begin()
    log.append(text('Hello'))
    await log.settle()
    expect(told).toEqual([{ id: 2, ...text('Hello') }])
    expect(log.take()).toEqual({ firstId: 3, events: [] })
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
    const { log, told, stored, end, written } = await begin(() => 'before')
    log.append(text('Hello'))
    await written()
    expect(told).toEqual([])
    expect(await stored()).toEqual([])
    await end()
    expect(told).toEqual([{ id: 2, ...text('Hello') }])
  })

  test('a database that was away is asked again, while the turn goes on', async () => {
    let failure: Failure = 'before'
    const { log, told, stored, written } = await begin(() => failure)
    log.append(text('Hello'))
    await written()
    failure = 'never'
    log.append(text(' Ada'))
    await eventually(() => expect(flatten(told)).toBe('<text-delta>Hello Ada'))
    expect(await stored()).toEqual(told)
  })

  test('a turn that is another’s now takes no more words', async () => {
    const { log, told, stored, turnId, written } = await begin()
    await database().pool.query('UPDATE turns SET runner_id = $1 WHERE id = $2', [uuidv7(), turnId])
    log.append(text('Hello'))
    await written()
    await eventually(() => expect(() => log.append(text(' Ada'))).toThrow(TurnInterrupted))
    expect(told).toEqual([])
    expect(await stored()).toEqual([])
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
        failure: fc.constantFrom<Failure>('never', 'before', 'after')
      }),
      { minLength: 1, maxLength: 12 }
    )
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        let failure: Failure = 'never'
        const { log, told, stored, end, written } = await begin(() => failure)
        for (const step of steps) {
          failure = step.failure
          log.append(step.event)
          if (step.pause) await written()
          else await Promise.resolve()
        }
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
