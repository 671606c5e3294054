import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database, Tx } from '../db/client.ts'
import { abortedWhenGone } from '../http/abort.ts'
import { IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import type { ImportConversation } from './import-conversation.ts'
import { ImportBody, Imported, ImportProgress, ImportStarted } from './import-schemas.ts'
import { loadImport } from './import-store.ts'

/** Years of talk in one file. */
const BODY_LIMIT = 64 * 1_048_576
const tags = ['conversations']

/** Conversations from elsewhere. */
export const importRoutes: FastifyPluginAsyncTypebox<{
  database: Database
  importConversation: ImportConversation
  /** How far a whole file has come, which is not chat's to know. */
  findFileImport: (tx: Tx, ownerId: string, id: string) => Promise<ImportProgress | undefined>
}> = async (app, { database, importConversation, findFileImport }) => {
  app.post(
    '/conversations/import',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags,
        summary: 'Import a conversation; a long one is made searchable afterwards and answers 202',
        headers: IdempotencyHeaders,
        body: ImportBody,
        response: { 201: Imported, 202: ImportStarted }
      }
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key']
      const done = await importConversation(request.user.id, request.body, key, abortedWhenGone(reply))
      if ('importId' in done) return reply.code(202).send(done)
      return reply.code(201).send(done)
    }
  )

  app.get(
    '/imports/:id',
    {
      schema: {
        tags,
        summary: 'How far a long import has come, of a conversation or a whole file',
        params: IdParams,
        response: { 200: ImportProgress }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      return database.readInOwner(ownerId, async (tx) => {
        const file = await findFileImport(tx, ownerId, request.params.id)
        if (file) return file
        const { id, conversationId, total, done } = await loadImport(tx, ownerId, request.params.id)
        const status = done < total ? ('processing' as const) : ('ready' as const)
        return { id, conversationId, total, done, status }
      })
    }
  )
}
