import { AsyncLocalStorage } from 'node:async_hooks'
import type { BeforeCall, OnUsage } from '../llm/usage-meter.ts'

/** Who pays for a piece of work, and what it is for. */
export interface Account {
  ownerId: string
  /** chat, search, extraction, indexing, title … */
  purpose: string
  conversationId?: string
  /** The turn whose reply it is: whoever stores the call of that model, its runner or who found it dead, it counts once. */
  turnId?: string
  /** Hears of each call as it is noted. */
  hear?: OnUsage
}

/** What is kept of the calls that work makes. */
export interface Books {
  /** Reads ahead how the owner stands, where a model may cost anything. */
  expect(ownerId: string): void
  /** Throws where the owner's budget is spent and this model is not free. */
  check(ownerId: string, model: string): Promise<void>
  note(account: Account, call: Parameters<OnUsage>[0]): void
}

export type PayFor = <T>(account: Account, work: () => T) => T

/** The account that the running code works on: known where work begins, and not where a model is called. */
const open = new AsyncLocalStorage<{ account: Account; books: Books }>()

/** Runs work on somebody's account: every call of a model that it makes is theirs. */
export function createPayFor(books: Books): PayFor {
  return (account, work) => {
    books.expect(account.ownerId)
    return open.run({ account, books }, work)
  }
}

/** Joins the models to the accounts. `onStray` hears of a call that is on nobody's account, which is a mistake of ours. */
export function meterCalls(onStray: (error: Error) => void): { beforeCall: BeforeCall; onUsage: OnUsage } {
  return {
    async beforeCall(model) {
      const work = open.getStore()
      if (work) await work.books.check(work.account.ownerId, model)
      else onStray(new Error(`The model ${model} is called on nobody's account`))
    },
    onUsage(call) {
      const work = open.getStore()
      work?.books.note(work.account, call)
      work?.account.hear?.(call)
    }
  }
}
