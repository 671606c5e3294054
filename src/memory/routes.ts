import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { brokenConstraint, type Database } from '../db/client.ts'
import { abortedWhenGone } from '../http/abort.ts'
import { readPage } from '../http/cursor.ts'
import { IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import type { Queue } from '../jobs/queue.ts'
import { edit } from './edit.ts'
import { MemoryExists } from './errors.ts'
import { onceKept } from './once-kept.ts'
import type { Recall } from './recall/recall.ts'
import {
  Memory,
  MemoryBody,
  MemoryListQuery,
  MemoryPage,
  MemoryPatch,
  MemorySearchBody,
  MemorySearchResult,
  RecallBody,
  RecallResult
} from './schemas.ts'
import * as store from './store.ts'
import { write } from './write.ts'

const tags = ['memory']

export interface MemoryRoutesOptions {
  database: Database
  queue: Queue
  recall: Recall
}

/** Reading memory: listing, searching, recall. */
export const memoryReadRoutes: FastifyPluginAsyncTypebox<MemoryRoutesOptions> = async (
  app,
  { database, recall }
) => {
  app.get(
    '/memories',
    {
      schema: {
        tags,
        summary: 'List memories, newest first: all that are not forgotten, or those of one status or topic',
        querystring: MemoryListQuery,
        response: { 200: MemoryPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => store.listMemories(tx, ownerId, limit, after, query)),
        ({ createdAt, id }) => ({ at: new Date(createdAt), id })
      )
  )

  app.get(
    '/memories/:id',
    { schema: { tags, summary: 'Read a memory', params: IdParams, response: { 200: Memory } } },
    (request) =>
      database.readInOwner(request.user.id, (tx) => store.loadMemory(tx, request.user.id, request.params.id))
  )

  app.post(
    '/memories/search',
    {
      schema: {
        tags,
        summary: 'Search memories by meaning and words',
        body: MemorySearchBody,
        response: { 200: MemorySearchResult }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const found = await recall(ownerId, { ...request.body, kinds: ['memory'] }, abortedWhenGone(reply))
      const memories = await database.readInOwner(ownerId, (tx) =>
        store.loadMemories(
          tx,
          ownerId,
          found.map(({ id }) => id)
        )
      )
      const byId = new Map(memories.map((memory) => [memory.id, memory]))
      return {
        items: found.flatMap(({ id, score, matchedBy }) => {
          const memory = byId.get(id)
          return memory ? [{ memory, score, matchedBy }] : []
        })
      }
    }
  )

  app.post(
    '/recall',
    {
      schema: {
        tags,
        summary: 'What bears on a query: the facts and messages a prompt is built from',
        body: RecallBody,
        response: { 200: RecallResult }
      }
    },
    async (request, reply) => ({ items: await recall(request.user.id, request.body, abortedWhenGone(reply)) })
  )
}

/** Changing memory by the owner's own hand. */
export const memoryWriteRoutes: FastifyPluginAsyncTypebox<MemoryRoutesOptions> = async (
  app,
  { database, queue }
) => {
  app.post(
    '/memories',
    {
      schema: {
        tags,
        summary: 'Remember something',
        headers: IdempotencyHeaders,
        body: MemoryBody,
        response: { 201: Memory }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const call = {
        ownerId,
        key: request.headers['idempotency-key'],
        call: 'POST /v1/memories',
        body: request.body
      }
      const memory = await database.inOwner(ownerId, (tx) =>
        onceKept(tx, call, async () => {
          const id = await write(tx, ownerId, request.body, new Date())
          await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [id], messageIds: [] })
          return store.loadMemory(tx, ownerId, id)
        })
      )
      return reply.code(201).send(memory)
    }
  )

  app.patch(
    '/memories/:id',
    {
      schema: {
        tags,
        summary: 'Correct a memory',
        params: IdParams,
        body: MemoryPatch,
        response: { 200: Memory }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      const { id } = request.params
      try {
        return await database.inOwner(ownerId, async (tx) => {
          if (await edit(tx, ownerId, id, request.body, new Date())) {
            await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [id], messageIds: [] })
          }
          return store.loadMemory(tx, ownerId, id)
        })
      } catch (error) {
        if (brokenConstraint(error) === 'memories_text_hash') throw new MemoryExists()
        throw error
      }
    }
  )
}
