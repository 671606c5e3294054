import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '../../db/client.ts'
import { readPage } from '../../http/cursor.ts'
import { IdParams, PageQuery } from '../../http/schemas.ts'
import type { Queue } from '../../jobs/queue.ts'
import { reconcileKept } from '../extraction/reconcile.ts'
import { lockMemories } from '../extraction/reconcile-store.ts'
import { Memory, MemoryPage } from '../schemas.ts'
import { loadMemory } from '../store.ts'
import * as failures from './extraction-failures.ts'
import {
  ConflictResolution,
  MemoryConflict,
  MemoryConflictPage,
  MemoryExtraction,
  MemoryExtractionPage,
  MessageIdParams
} from './review-schemas.ts'
import * as review from './review-store.ts'

const tags = ['memory']

export interface ReviewRoutesOptions {
  database: Database
  queue: Queue
  now: () => Date
}

/** What waits for the owner: conflicts, proposals, and messages that could not be read. */
export const reviewReadRoutes: FastifyPluginAsyncTypebox<ReviewRoutesOptions> = async (app, { database }) => {
  app.get(
    '/memory-proposals',
    {
      schema: {
        tags,
        summary: 'List facts from elsewhere that wait for approval',
        querystring: PageQuery,
        response: { 200: MemoryPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => review.listProposals(tx, ownerId, limit, after)),
        ({ createdAt, id }) => ({ at: new Date(createdAt), id })
      )
  )

  app.get(
    '/memory-conflicts',
    {
      schema: {
        tags,
        summary: 'List memories that contradict each other',
        querystring: PageQuery,
        response: { 200: MemoryConflictPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => review.listConflicts(tx, ownerId, limit, after)),
        ({ createdAt, id }) => ({ at: new Date(createdAt), id })
      )
  )

  app.get(
    '/memory-extractions',
    {
      schema: {
        tags,
        summary: 'List messages that memory could not read',
        querystring: PageQuery,
        response: { 200: MemoryExtractionPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => failures.listExtractions(tx, ownerId, limit, after)),
        ({ updatedAt, messageId }) => ({ at: new Date(updatedAt), id: messageId })
      )
  )
}

/** What the owner decides. Each decision may be sent again without doing more. */
export const reviewWriteRoutes: FastifyPluginAsyncTypebox<ReviewRoutesOptions> = async (
  app,
  { database, queue, now }
) => {
  app.post(
    '/memory-proposals/:id/approve',
    {
      schema: {
        tags,
        summary: 'Let a proposed fact become a memory',
        params: IdParams,
        response: { 200: Memory }
      }
    },
    (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      return database.inOwner(ownerId, async (tx) => {
        await lockMemories(tx, ownerId)
        await review.approveProposal(tx, ownerId, id, 'owner')
        await reconcileKept(tx, ownerId, id, null, 'owner', now())
        return loadMemory(tx, ownerId, id)
      })
    }
  )

  app.post(
    '/memory-proposals/:id/reject',
    {
      schema: { tags, summary: 'Turn a proposed fact down', params: IdParams, response: { 200: Memory } }
    },
    (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      return database.inOwner(ownerId, async (tx) => {
        await review.rejectProposal(tx, ownerId, id, now())
        return loadMemory(tx, ownerId, id)
      })
    }
  )

  app.post(
    '/memory-conflicts/:id/resolve',
    {
      schema: {
        tags,
        summary: 'Say which of two memories is true',
        params: IdParams,
        body: ConflictResolution,
        response: { 200: MemoryConflict }
      }
    },
    (request) => {
      const { id: ownerId } = request.user
      return database.inOwner(ownerId, (tx) =>
        review.resolveConflict(tx, ownerId, request.params.id, request.body.keep, now())
      )
    }
  )

  app.post(
    '/memory-extractions/:messageId/retry',
    {
      schema: {
        tags,
        summary: 'Read a message again that memory gave up on',
        params: MessageIdParams,
        response: { 202: MemoryExtraction }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { messageId } = request.params
      const extraction = await database.inOwner(ownerId, async (tx) => {
        const row = await failures.unparkExtraction(tx, ownerId, messageId)
        await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [messageId] })
        return row
      })
      return reply.code(202).send(extraction)
    }
  )
}
