import { TurnNotFound } from '../../../src/chat/errors.ts'
import type { LoggedEvent } from '../../../src/chat/events.ts'
import { DatabaseUnavailable } from '../../../src/db/errors.ts'
import { Cut, type Node } from './node.ts'
import { as } from './time.ts'
import type { Script, World } from './world.ts'

/** One message that somebody will send, and what goes wrong for them. */
export interface Plan extends Script {
  /** So many answers are lost on their way. */
  lostAnswers: number
  /** The first time, it is sent twice at once. */
  impatient: boolean
  /** The reader's connection breaks after so many events, each time. */
  readsOf: number
  stops: boolean
}

/** What somebody knows of a message of theirs. */
export interface Acknowledged {
  ownerId: string
  text: string
  turnId: string
  events: LoggedEvent[]
}

/** Somebody who sends one message after the other into a conversation, and reads each answer to its end. */
export async function converse(
  world: World,
  ownerId: string,
  name: string,
  plans: Plan[],
  acknowledged: Acknowledged[]
): Promise<void> {
  let conversationId: string | undefined
  for (const [index, plan] of plans.entries()) {
    const text = `${name} message ${index}`
    // One that hangs for ever is for its owner to stop.
    const stops = plan.stops || plan.ending === 'hangs'
    world.script(text, plan)
    const turnId = await send(world, ownerId, text, conversationId, plan)
    const known: Acknowledged = { ownerId, text, turnId, events: [] }
    acknowledged.push(known)
    const stopping = stops ? stop(world, ownerId, turnId) : null
    known.events = await read(world, ownerId, turnId, plan.readsOf)
    await stopping
    const [first] = known.events
    if (first?.type === 'turn') conversationId = first.data.conversationId
  }
}

/** Somebody else sees nothing of it and stops nothing of it. */
export async function intrude(world: World, ownerId: string, acknowledged: Acknowledged[]): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await world.gate('a stranger looks')
    const turnId = acknowledged.findLast((one) => one.ownerId !== ownerId)?.turnId
    if (!turnId) continue
    const node = await world.pick()
    const attempts: (() => Promise<unknown>)[] = [
      () => node.watchTurn(ownerId, turnId, 0, new AbortController().signal),
      () => node.stopTurn(ownerId, turnId)
    ]
    for (const attempt of attempts) {
      const seen = await call(world, node, attempt).catch((error) => error)
      if (!(seen instanceof TurnNotFound) && !isAway(seen)) throw new Error('a stranger was let in')
    }
  }
}

/** What is worth trying again. */
function isAway(error: unknown): boolean {
  return error instanceof Cut || error instanceof DatabaseUnavailable
}

/** A request to a node: it takes its time, and breaks off when the node dies. */
async function call<T>(world: World, node: Node, work: () => Promise<T>): Promise<T> {
  await world.gate('a request')
  if (node.dead) throw new Cut('nobody is there')
  return Promise.race([as(node, work), node.died])
}

async function send(
  world: World,
  ownerId: string,
  text: string,
  conversationId: string | undefined,
  plan: Plan
): Promise<string> {
  const body = { message: text, ...(conversationId && { conversationId }) }
  const sendOnce = async () => {
    const node = await world.pick()
    return (await call(world, node, () => node.startTurn.chat(ownerId, body, text))).turnId
  }
  for (let tries = 0; ; tries++) {
    try {
      const copies = plan.impatient && tries === 0 ? 2 : 1
      const turnIds = await Promise.all(Array.from({ length: copies }, sendOnce))
      if (new Set(turnIds).size > 1) throw new Error('one key has two turns')
      await world.gate('an answer')
      if (tries < plan.lostAnswers) throw new Cut('the answer is lost')
      return turnIds[0] as string
    } catch (error) {
      if (!isAway(error)) throw error
    }
  }
}

async function stop(world: World, ownerId: string, turnId: string): Promise<void> {
  for (;;) {
    await world.gate('a wish to stop')
    const node = await world.pick()
    try {
      return await call(world, node, () => node.stopTurn(ownerId, turnId))
    } catch (error) {
      if (!isAway(error)) throw error
    }
  }
}

/** Reads a turn to its end, from any node, going on where it was cut. */
async function read(world: World, ownerId: string, turnId: string, readsOf: number): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = []
  for (;;) {
    const node = await world.pick()
    const watcher = new AbortController()
    try {
      const log = await call(world, node, () =>
        node.watchTurn(ownerId, turnId, events.length, watcher.signal)
      )
      const reader = log[Symbol.asyncIterator]()
      for (let count = 0; count < readsOf; count++) {
        const { value, done } = await Promise.race([as(node, () => reader.next()), node.died])
        if (done) break
        for (const event of value as LoggedEvent[]) {
          if (event.id !== events.length + 1) throw new Error(`event ${event.id} came after ${events.length}`)
          events.push(event)
          if (event.type === 'done') return events
        }
      }
    } catch (error) {
      if (!isAway(error)) throw error
    } finally {
      as(node, () => watcher.abort())
    }
  }
}
