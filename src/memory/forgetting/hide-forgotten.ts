import { and, eq, inArray, or, sql } from 'drizzle-orm'
import { messages, turnEvents, turns } from '../../chat/tables.ts'
import type { Tx } from '../../db/client.ts'
import { hideInMessages, hideInSources, readHidden, type Shown } from './hide-in-messages.ts'
import { holds } from './places.ts'
import { type TitledBy, titleLeft } from './title-left.ts'
import { type Coming, findWaiting, withWaiting } from './waiting.ts'

interface Titled {
  id: string
  title: string
  titledBy: TitledBy
  createdAt: Date
}

/**
 * What may be read or shown, without the words of what is forgotten and waits to be purged: the same as will be left of it
 * then, and all of it again where the forgetting is undone.
 */
export interface Hiding {
  messages<M extends Shown>(tx: Tx, ownerId: string, said: Coming<M[]>): Promise<M[]>
  /** A title may say again what was said, as a reply does. */
  titles<C extends Titled>(tx: Tx, ownerId: string, titled: Coming<C[]>): Promise<C[]>
  /** The quotes of memories that stay. */
  sources: typeof hideInSources
  /** The memories that a turn used. */
  used<U extends { id: string }>(tx: Tx, ownerId: string, used: U[]): Promise<U[]>
  /** Whether the log of a turn that has ended may tell it: a log has its words in pieces, so it is hidden as a whole. */
  hidesLog(tx: Tx, ownerId: string, turnId: string): Promise<boolean>
}

export interface HidingDeps {
  /** The title a conversation has by itself, made from its first message. */
  toTitle: (text: string) => string
}

export function createHiding({ toTitle }: HidingDeps): Hiding {
  return {
    messages: hideInMessages,

    async titles(tx, ownerId, coming) {
      const [waiting, titled] = await withWaiting(tx, ownerId, coming)
      if (waiting.length === 0) return titled
      const told = waiting.flatMap(({ messageIds }) => messageIds)
      const ids = titled.map(({ id }) => id)
      const read = await readHidden(tx, ownerId, waiting, await findTitling(tx, ownerId, ids, told))
      const ofConversation = Map.groupBy(read, ({ said }) => said.conversationId)
      return titled.map((row) => {
        const hidden = waiting.filter(({ hiddenAt }) => row.createdAt <= hiddenAt)
        const said = ofConversation.get(row.id) ?? []
        const changed = said.flatMap(({ said: { content }, left }) =>
          told.includes(left.id) ? [{ content, text: left.content }] : []
        )
        const first = said.toSorted((a, b) => a.said.sequence - b.said.sequence).find(isOwners)
        const left = { changed, first: first?.left.content ?? '' }
        const title = hidden.reduce(
          (title, { words }) => titleLeft({ ...row, title }, left, words, toTitle),
          row.title
        )
        return { ...row, title }
      })
    },

    sources: hideInSources,

    async used(tx, ownerId, used) {
      if (used.length === 0) return used
      const hidden = (await findWaiting(tx, ownerId)).flatMap(({ ids }) => ids)
      return used.filter(({ id }) => !hidden.includes(id))
    },

    async hidesLog(tx, ownerId, turnId) {
      const waiting = await findWaiting(tx, ownerId)
      if (waiting.length === 0) return false
      const [turn] = await tx
        .select()
        .from(turns)
        .where(and(eq(turns.ownerId, ownerId), eq(turns.id, turnId)))
      if (!turn) return false
      const before = waiting.filter(({ hiddenAt }) => turn.createdAt <= hiddenAt)
      if (turn.memoriesUsed.some(({ id }) => before.some(({ ids }) => ids.includes(id)))) return true
      const told = before.flatMap(({ messageIds }) => messageIds)
      if (await isToldIn(tx, ownerId, turn.conversationId, told)) return true
      const texts = await readLogTexts(tx, ownerId, turnId)
      return before.some(({ words, ids }) => holds(texts, (text) => words.isIn(text) || ids.includes(text)))
    }
  }
}

const isOwners = ({ said }: { said: { role: string } }) => said.role === 'user'

/** Of these conversations, the messages that told something, and of each that has one the first of the owner's. */
async function findTitling(tx: Tx, ownerId: string, ids: string[], told: string[]): Promise<string[]> {
  const { id, conversationId, role, sequence } = messages
  const ofOwner = eq(messages.ownerId, ownerId)
  const there = await tx
    .select({ id, conversationId })
    .from(messages)
    .where(and(ofOwner, inArray(id, told), inArray(conversationId, ids)))
  const telling = [...new Set(there.map((row) => row.conversationId))]
  const first = await tx
    .selectDistinctOn([conversationId], { id })
    .from(messages)
    .where(and(ofOwner, inArray(conversationId, telling), eq(role, 'user')))
    .orderBy(conversationId, sequence)
  return [...new Set([...there, ...first].map((row) => row.id))]
}

async function isToldIn(tx: Tx, ownerId: string, conversationId: string, told: string[]): Promise<boolean> {
  const [one] = await tx
    .select({ id: messages.id })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        inArray(messages.id, told),
        eq(messages.conversationId, conversationId)
      )
    )
    .limit(1)
  return one !== undefined
}

/** What a log says: the pieces of one kind put together, and everything else as it is. */
async function readLogTexts(tx: Tx, ownerId: string, turnId: string): Promise<unknown[]> {
  const isPiece = or(eq(turnEvents.type, 'text-delta'), eq(turnEvents.type, 'reasoning-delta'))
  const rows = await tx
    .select({
      text: sql<string | null>`string_agg(${turnEvents.data} ->> 'text', '' ORDER BY ${turnEvents.id})`,
      others: sql<unknown[] | null>`jsonb_agg(${turnEvents.data}) FILTER (WHERE NOT ${isPiece})`
    })
    .from(turnEvents)
    .where(and(eq(turnEvents.ownerId, ownerId), eq(turnEvents.turnId, turnId)))
    .groupBy(turnEvents.type)
  return rows
}
