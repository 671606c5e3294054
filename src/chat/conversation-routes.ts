import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { abortedWhenGone } from '../http/abort.ts'
import { readPage } from '../http/cursor.ts'
import { CursorInvalid } from '../http/errors.ts'
import { IdempotencyHeaders, IdParams, PAGE_LIMIT, PageQuery } from '../http/schemas.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import * as store from './conversation-store.ts'
import { QueryEmpty } from './errors.ts'
import {
  Conversation,
  ConversationBody,
  ConversationListQuery,
  ConversationPage,
  ConversationPatch,
  ConversationRemoval,
  ConversationSearchQuery,
  ConversationsFound,
  ConversationWithTurn,
  MessagePage
} from './schemas.ts'
import type { SearchConversations } from './search-conversations.ts'
import { findActiveTurnId } from './turn-store.ts'

const SEARCH_LIMIT = 20
const tags = ['conversations']

/** Conversations and their messages: plain rows, so routes speak to the store. */
export const conversationRoutes: FastifyPluginAsyncTypebox<{
  database: Database
  /** Forgets the memories that were told in a conversation and nowhere else. */
  forgetTold: (tx: Tx, ownerId: string, conversationId: string) => Promise<void>
  hiding: Hiding
  searchConversations: SearchConversations
  /** The model of a name; throws for a name that is none. */
  chatModel: (name: string) => { id: string }
}> = async (app, { database, forgetTold, hiding, searchConversations, chatModel }) => {
  async function shown(tx: Tx, ownerId: string, found: Promise<store.ConversationRow>) {
    const titled = await hiding.titles(
      tx,
      ownerId,
      found.then((row) => [row])
    )
    return toConversation(titled[0] as store.ConversationRow)
  }

  app.get(
    '/conversations',
    {
      schema: {
        tags,
        summary: 'List conversations, newest first',
        querystring: ConversationListQuery,
        response: { 200: ConversationPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) =>
            hiding.titles(tx, ownerId, store.listConversations(tx, ownerId, { ...query, limit, after }))
          ),
        ({ updatedAt, id }) => ({ at: updatedAt, id }),
        toConversation
      )
  )

  app.get(
    '/conversations/search',
    {
      schema: {
        tags,
        summary:
          'Search conversations by their titles and messages, best first, those that are archived included',
        querystring: ConversationSearchQuery,
        response: { 200: ConversationsFound }
      }
    },
    async (request, reply) => {
      const { query, cursor = '0', limit = SEARCH_LIMIT } = request.query
      if (query.trim() === '') throw new QueryEmpty()
      const offset = Number(cursor)
      const signal = abortedWhenGone(reply)
      const { items, hasMore } = await searchConversations(request.user.id, query, { offset, limit }, signal)
      return {
        items: items.map((item) => ({
          ...item,
          conversation: toConversation(item.conversation),
          snippets: item.snippets.map((one) => ({ ...one, createdAt: one.createdAt.toISOString() }))
        })),
        nextCursor: hasMore ? String(offset + limit) : null
      }
    }
  )

  app.post(
    '/conversations',
    {
      schema: {
        tags,
        summary: 'Begin an empty conversation',
        headers: IdempotencyHeaders,
        body: ConversationBody,
        response: { 201: Conversation }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { title = '', temporary = false } = request.body
      const model = request.body.model === undefined ? null : chatModel(request.body.model).id
      const call = {
        ownerId,
        key: request.headers['idempotency-key'],
        call: 'POST /v1/conversations',
        body: request.body
      }
      const conversation = await database.inOwner(ownerId, (tx) =>
        once(tx, call, async () =>
          toConversation(
            await store.createConversation(tx, ownerId, { id: uuidv7(), title, temporary, model })
          )
        )
      )
      return reply.code(201).send(conversation)
    }
  )

  app.get(
    '/conversations/:id',
    {
      schema: {
        tags,
        summary: 'Read a conversation',
        params: IdParams,
        response: { 200: ConversationWithTurn }
      }
    },
    (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      return database.readInOwner(ownerId, async (tx) => ({
        ...(await shown(tx, ownerId, store.loadConversation(tx, ownerId, id))),
        activeTurnId: await findActiveTurnId(tx, ownerId, id)
      }))
    }
  )

  app.patch(
    '/conversations/:id',
    {
      schema: {
        tags,
        summary: 'Rename a conversation, archive it, or pause remembering in it',
        params: IdParams,
        body: ConversationPatch,
        response: { 200: Conversation }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      const { model, ...change } = request.body
      const chosen = model === undefined ? {} : { model: model && chatModel(model).id }
      return database.inOwner(ownerId, (tx) =>
        shown(tx, ownerId, store.changeConversation(tx, ownerId, request.params.id, { ...change, ...chosen }))
      )
    }
  )

  app.delete(
    '/conversations/:id',
    {
      schema: {
        tags,
        summary:
          'Delete a conversation with its messages; what was learnt from it stays unless told otherwise',
        params: IdParams,
        querystring: ConversationRemoval,
        response: { 204: Type.Null() }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      const forgets = request.query.memories === 'forget'
      await database.inOwner(ownerId, async (tx) => {
        if (forgets) await forgetTold(tx, ownerId, id)
        await store.removeConversation(tx, ownerId, id)
      })
      return reply.code(204).send(null)
    }
  )

  app.get(
    '/conversations/:id/messages',
    {
      schema: {
        tags,
        summary:
          'Read the messages of a conversation, the whole tree, oldest first; the branch to show is the one with the newest message, unless its reader picks another',
        params: IdParams,
        querystring: PageQuery,
        response: { 200: MessagePage }
      }
    },
    (request) => {
      const { id: ownerId } = request.user
      const { cursor, limit = PAGE_LIMIT } = request.query
      // The number of a message, as the page before gave it out.
      if (cursor !== undefined && !/^\d{1,9}$/.test(cursor)) throw new CursorInvalid()
      const after = Number(cursor ?? 0)
      return database.readInOwner(ownerId, async (tx) => {
        await store.loadConversation(tx, ownerId, request.params.id)
        const listed = store.listMessages(tx, ownerId, request.params.id, limit, after)
        const rows = await hiding.messages(tx, ownerId, listed)
        const page = rows.slice(0, limit)
        const nextCursor = rows.length > limit ? String(page.at(-1)?.sequence) : null
        return { items: page.map(store.toMessage), nextCursor }
      })
    }
  )
}

function toConversation(row: store.ConversationRow): Static<typeof Conversation> {
  const { id, title, temporary, memoryPaused, archivedAt, model, createdAt, updatedAt } = row
  return {
    id,
    title,
    temporary,
    memoryPaused,
    archived: archivedAt !== null,
    model,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString()
  }
}
