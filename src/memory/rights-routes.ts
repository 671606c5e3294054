import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { brokenConstraint, type Database, type Tx } from '../db/client.ts'
import { readPage } from '../http/cursor.ts'
import { IdempotencyHeaders, IdParams, PageQuery } from '../http/schemas.ts'
import type { Queue } from '../jobs/queue.ts'
import { MemoryExists } from './errors.ts'
import { forget, isSmall } from './forgetting/forget.ts'
import type { Hiding } from './forgetting/hide-forgotten.ts'
import type { Purge } from './forgetting/purge.ts'
import { findLearnt } from './learnt.ts'
import { merge } from './merge.ts'
import { onceKept } from './once-kept.ts'
import { ForgetQuery, Learnt, MemoryEventPage, MemoryPurgePage, MergeBody, Why } from './rights-schemas.ts'
import { Memory } from './schemas.ts'
import { loadMemory } from './store.ts'
import { undo } from './undo.ts'
import { explain, listHistory, listPurges } from './why.ts'

const tags = ['memory']

export interface RightsRoutesOptions {
  database: Database
  queue: Queue
  purge: Purge['purge']
  hiding: Hiding
  /** Whether a message is still to be learnt from. Throws where there is none of this id. */
  isUnread: (tx: Tx, ownerId: string, messageId: string) => Promise<boolean>
  now: () => Date
}

/** What an owner may know about what is known of them. */
export const rightsReadRoutes: FastifyPluginAsyncTypebox<RightsRoutesOptions> = async (
  app,
  { database, hiding, isUnread }
) => {
  app.get(
    '/messages/:id/memories',
    {
      schema: {
        tags,
        summary: 'What was learnt from a message, and what that took the place of',
        params: IdParams,
        response: { 200: Learnt }
      }
    },
    ({ user: { id: ownerId }, params: { id } }) =>
      database.readInOwner(ownerId, async (tx) => ({
        pending: await isUnread(tx, ownerId, id),
        items: await findLearnt(tx, ownerId, id)
      }))
  )

  app.get(
    '/memories/:id/why',
    { schema: { tags, summary: 'Why PAI knows this', params: IdParams, response: { 200: Why } } },
    (request) =>
      database.readInOwner(request.user.id, (tx) => explain(tx, hiding, request.user.id, request.params.id))
  )

  app.get(
    '/memories/:id/history',
    {
      schema: {
        tags,
        summary: 'What happened to a memory, newest first',
        params: IdParams,
        querystring: PageQuery,
        response: { 200: MemoryEventPage }
      }
    },
    ({ user: { id: ownerId }, params, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => listHistory(tx, ownerId, params.id, limit, after)),
        ({ at, id }) => ({ at: new Date(at), id })
      )
  )

  app.get(
    '/memory-purges',
    {
      schema: {
        tags,
        summary: 'Proof of what was forgotten for good, latest first',
        querystring: PageQuery,
        response: { 200: MemoryPurgePage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) => database.readInOwner(ownerId, (tx) => listPurges(tx, ownerId, limit, after)),
        ({ purgedAt, id }) => ({ at: new Date(purgedAt), id })
      )
  )
}

/** Undoing, merging and forgetting. */
export const rightsWriteRoutes: FastifyPluginAsyncTypebox<RightsRoutesOptions> = async (
  app,
  { database, queue, purge, now }
) => {
  app.post(
    '/memories/:id/undo',
    {
      schema: {
        tags,
        summary:
          'Undo the latest change of a memory: an edit, a merge, a superseding, an expiry, a decision against it, a forgetting',
        params: IdParams,
        headers: IdempotencyHeaders,
        response: { 200: Memory }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      const call = {
        ownerId,
        key: request.headers['idempotency-key'],
        call: `POST /v1/memories/${id}/undo`,
        body: {}
      }
      try {
        return await database.inOwner(ownerId, (tx) =>
          onceKept(tx, call, async () => {
            await undo(tx, queue, ownerId, id, now())
            return loadMemory(tx, ownerId, id)
          })
        )
      } catch (error) {
        if (brokenConstraint(error) === 'memories_text_hash') throw new MemoryExists()
        throw error
      }
    }
  )

  app.post(
    '/memories/:id/merge',
    {
      schema: {
        tags,
        summary: 'Merge others that say the same into a memory',
        params: IdParams,
        body: MergeBody,
        response: { 200: Memory }
      }
    },
    (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      return database.inOwner(ownerId, async (tx) => {
        await merge(tx, ownerId, id, request.body.ids, now())
        return loadMemory(tx, ownerId, id)
      })
    }
  )

  app.delete(
    '/memories/:id',
    {
      schema: {
        tags,
        summary:
          'Forget a memory: hidden at once, and gone for good after ten minutes in which it can be undone',
        params: IdParams,
        querystring: ForgetQuery,
        response: { 204: Type.Null() }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      const { purge: atOnce = false } = request.query
      const byCaller = await database.inOwner(ownerId, async (tx) => {
        const isHere = atOnce && (await isSmall(tx, ownerId))
        await forget(tx, queue, ownerId, id, { now: now(), atOnce, byCaller: isHere })
        return isHere
      })
      // Should the process die in between, the sweep finds it.
      if (byCaller) await purge(ownerId, id)
      return reply.code(204).send(null)
    }
  )
}
