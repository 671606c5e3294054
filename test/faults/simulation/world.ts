import { setImmediate as nextLoop } from 'node:timers/promises'
import type fc from 'fast-check'
import type { Database, Listener } from '../../../src/db/client.ts'
import { DatabaseUnavailable } from '../../../src/db/errors.ts'
import { ModelFailed } from '../../../src/llm/errors.ts'
import type { ChatModel } from '../../../src/llm/model.ts'
import type { SimulatedDatabase } from './database.ts'
import { type Node, startNode } from './node.ts'
import { as, currentProcess, type Process } from './time.ts'

/** What a model does with a message. */
export interface Script {
  deltas: string[]
  ending: 'done' | 'fails' | 'hangs'
}

/** Where the database does not answer: before it has done what it was asked, or after. */
export type DatabaseFault = 'none' | 'before' | 'after'

export interface World {
  nodes: Node[]
  /** Any node that is up, in the order that was drawn. */
  pick(): Promise<Node>
  /** Comes when the scheduler says so; never, for one who is dead by then. */
  gate(label: string): Promise<void>
  crash(): Promise<void>
  /** A node hears nothing from the others for a while, and then looks what it has missed. */
  deafen(): Promise<void>
  script(text: string, script: Script): void
  /** How often a model was asked about a message. */
  asked: Map<string, number>
  /** Errors that no simulated fault explains. */
  bugs: unknown[]
  /** Waits until everything that is under way waits for a gate. */
  quiet(): Promise<void>
}

const NODES = 2

export async function openWorld(
  database: SimulatedDatabase,
  scheduler: fc.Scheduler,
  picks: number[],
  databaseFaults: DatabaseFault[]
): Promise<World> {
  const scripts = new Map<string, Script>()
  const asked = new Map<string, number>()
  const bugs: unknown[] = []
  const listeners: { process: Process; deaf: boolean; waiting: string[]; hear(): void; again(): void }[] = []
  let picked = 0
  let calls = 0
  let inFlight = 0
  let started = 0

  async function gate(label: string): Promise<void> {
    const process = currentProcess()
    await scheduler.schedule(Promise.resolve(), label)
    if (process?.dead) await new Promise(() => {})
  }

  database.hear((payload) => {
    for (const listener of listeners) {
      if (listener.deaf || listener.process.dead) continue
      listener.waiting.push(payload)
      as(listener.process, () => gate('a notification')).then(listener.hear)
    }
  })

  /** Every transaction waits for its turn, and its answer travels for a while. */
  function through<Run extends (...asked: never[]) => Promise<unknown>>(run: Run): Run {
    return (async (...asked: Parameters<Run>) => {
      await gate('a transaction')
      const fault = databaseFaults[calls++] ?? 'none'
      if (fault === 'before') throw new DatabaseUnavailable()
      inFlight++
      let result: unknown
      try {
        result = await run(...asked)
      } finally {
        inFlight--
      }
      await gate('its answer')
      if (fault === 'after') throw new DatabaseUnavailable()
      return result
    }) as Run
  }

  function databaseOf(process: Process): Database {
    const { inOwner, readInOwner, oneInOwner, inSystem, oneInSystem, firstInSystem } = database.transactions
    return {
      kind: 'postgres',
      inOwner: through(inOwner),
      readInOwner: through(readInOwner),
      oneInOwner: through(oneInOwner),
      inSystem: through(inSystem),
      oneInSystem: through(oneInSystem),
      firstInSystem: through(firstInSystem),
      async listen(_channel, onNotify, onReconnect): Promise<Listener> {
        const listener = {
          process,
          deaf: false,
          waiting: [] as string[],
          hear: () => as(process, () => onNotify(listener.waiting.shift() ?? '')),
          again: () => as(process, onReconnect)
        }
        listeners.push(listener)
        return { async close() {} }
      }
    } as Partial<Database> as Database
  }

  const model: ChatModel = {
    id: 'simulated',
    async *stream(prompt, signal) {
      const text = prompt.messages.at(-1)?.content ?? ''
      asked.set(text, (asked.get(text) ?? 0) + 1)
      const { deltas, ending } = scripts.get(text) ?? { deltas: [], ending: 'done' }
      for (const delta of deltas) {
        await gate('a token')
        signal.throwIfAborted()
        yield { type: 'text-delta', text: delta }
      }
      if (ending === 'fails') throw new ModelFailed('simulated')
      while (ending === 'hangs' && !signal.aborted) await gate('silence')
      signal.throwIfAborted()
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } }
    }
  }

  async function start(): Promise<Node> {
    const process = { dead: false }
    return startNode(`node ${++started}`, process, databaseOf(process), model, (error) => {
      if (!(error instanceof DatabaseUnavailable)) bugs.push(error)
    })
  }

  const nodes = await Promise.all(Array.from({ length: NODES }, start))
  return {
    nodes,
    gate,
    asked,
    bugs,
    async pick() {
      while (nodes.length === 0) await gate('nobody is up')
      return nodes[(picks[picked++ % picks.length] ?? 0) % nodes.length] as Node
    },
    async crash() {
      const [node] = nodes.splice((picks[picked++ % picks.length] ?? 0) % nodes.length, 1)
      node?.die()
      await gate('it starts again')
      nodes.push(await start())
    },
    async deafen() {
      const alive = listeners.filter(({ process }) => !process.dead)
      const listener = alive[(picks[picked++ % picks.length] ?? 0) % alive.length]
      if (!listener) return
      listener.deaf = true
      await gate('it hears again')
      listener.deaf = false
      if (!listener.process.dead) listener.again()
    },
    script: (text, script) => void scripts.set(text, script),
    async quiet() {
      for (let calm = 0; calm < 3; calm = inFlight > 0 ? 0 : calm + 1) await nextLoop()
    }
  }
}
