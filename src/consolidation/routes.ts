import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database, Tx } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { readPage } from '../http/cursor.ts'
import { IdempotencyHeaders, IdParams, PageQuery } from '../http/schemas.ts'
import { type ClusterRow, listClusters } from './cluster-store.ts'
import { findCurrentProfile, readProfile } from './profile-store.ts'
import {
  Consolidation,
  ConsolidationPage,
  type MemoryCluster,
  MemoryClusterPage,
  MemoryProfile
} from './schemas.ts'
import * as store from './store.ts'

const tags = ['consolidation']

export interface ConsolidationRoutesOptions {
  database: Database
  /** Begins a run, or answers the one that is going on. */
  start: (tx: Tx, ownerId: string) => Promise<store.ConsolidationRow>
  undo: (tx: Tx, ownerId: string, id: string) => Promise<store.ConsolidationRow>
}

/** What PAI did with the owner's memory at night. */
export const consolidationReadRoutes: FastifyPluginAsyncTypebox<ConsolidationRoutesOptions> = async (
  app,
  { database }
) => {
  app.get(
    '/consolidations',
    {
      schema: {
        tags,
        summary: 'What was done to the memory by itself, newest first',
        querystring: PageQuery,
        response: { 200: ConsolidationPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) => database.readInOwner(ownerId, (tx) => store.list(tx, ownerId, limit, after)),
        ({ startedAt, id }) => ({ at: startedAt, id }),
        toConsolidation
      )
  )

  app.get(
    '/consolidations/:id',
    {
      schema: {
        tags,
        summary: 'Read a consolidation and its report',
        params: IdParams,
        response: { 200: Consolidation }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      return toConsolidation(
        await database.readInOwner(ownerId, (tx) => store.load(tx, ownerId, request.params.id))
      )
    }
  )

  app.get(
    '/profile',
    {
      schema: {
        tags,
        summary: 'Who PAI takes the owner to be: the lines that every prompt reads',
        response: { 200: MemoryProfile }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      const profile = await database.readInOwner(ownerId, (tx) => findCurrentProfile(tx, ownerId))
      return {
        text: readProfile(profile),
        memoryIds: profile?.memoryIds ?? [],
        builtAt: profile ? new Date(profile.builtAt).toISOString() : null
      }
    }
  )

  app.get(
    '/memory-clusters',
    {
      schema: {
        tags,
        summary: 'The topics of the memory; `GET /v1/memories?clusterId=` lists the memories of one',
        querystring: PageQuery,
        response: { 200: MemoryClusterPage }
      }
    },
    ({ user: { id: ownerId }, query }) =>
      readPage(
        query,
        (limit, after) => database.readInOwner(ownerId, (tx) => listClusters(tx, ownerId, limit, after)),
        ({ updatedAt, id }) => ({ at: updatedAt, id }),
        toCluster
      )
  )
}

/** Having it done, and taking it back. */
export const consolidationWriteRoutes: FastifyPluginAsyncTypebox<ConsolidationRoutesOptions> = async (
  app,
  { database, start, undo }
) => {
  app.post(
    '/consolidations',
    {
      schema: {
        tags,
        summary: 'Tidy the memory now; the one that is running, where one is',
        headers: IdempotencyHeaders,
        response: { 202: Consolidation }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const call = {
        ownerId,
        key: request.headers['idempotency-key'],
        call: 'POST /v1/consolidations',
        body: null
      }
      const started = await database.inOwner(ownerId, (tx) =>
        once(tx, call, async () => toConsolidation(await start(tx, ownerId)))
      )
      return reply.code(202).send(started)
    }
  )

  app.post(
    '/consolidations/:id/undo',
    {
      schema: {
        tags,
        summary:
          'Put back what a consolidation changed; what was changed since is left, and the report says so',
        params: IdParams,
        response: { 200: Consolidation }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      return toConsolidation(await database.inOwner(ownerId, (tx) => undo(tx, ownerId, request.params.id)))
    }
  )
}

function toCluster({ id, topic, size, updatedAt }: ClusterRow): MemoryCluster {
  return { id, topic, size, updatedAt: updatedAt.toISOString() }
}

function toConsolidation(row: store.ConsolidationRow): Consolidation {
  const { id, status, report, startedAt, finishedAt, undoneAt } = row
  return {
    id,
    status,
    report: { steps: report.steps },
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    undoneAt: undoneAt?.toISOString() ?? null
  }
}
