import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { conversations } from '../chat/tables.ts'
import type { Tx } from '../db/client.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import { type Exporting, exportJson, exportMarkdown, gatherPieces } from './export.ts'
import { exportConversationJson, exportConversationMarkdown, nameOfExport } from './export-conversation.ts'
import { toHead } from './export-store.ts'
import type { ImportFrom } from './import.ts'
import {
  ExportQuery,
  FileImportStarted,
  ImportFile,
  ImportQuery,
  ImportReport,
  StreamedArchive,
  StreamedConversation
} from './schemas.ts'

/** Years of talk in one file: what is larger is imported conversation by conversation. */
const BODY_LIMIT = 64 * 1_048_576
const JSON_TYPE = 'application/json; charset=utf-8'
const MARKDOWN_TYPE = 'text/markdown; charset=utf-8'
const tags = ['transfer']

/** Everything that is the owner's, to take along. */
export const exportRoutes: FastifyPluginAsyncTypebox<Exporting> = async (app, exporting) => {
  app.get(
    '/export',
    {
      schema: {
        tags,
        summary:
          'Export everything: conversations, memories with their sources and history, the profile; or, to be read, as Markdown',
        querystring: ExportQuery,
        response: { 200: StreamedArchive }
      }
    },
    async (request, reply) => {
      const pieces = await gatherPieces(exporting, request.user.id)
      const isMarkdown = request.query.format === 'markdown'
      const name = `pai-${pieces.head.exportedAt.slice(0, 10)}.${isMarkdown ? 'md' : 'json'}`
      // A stream is sent as it is: the schema is its documentation, and a test holds the two equal.
      return reply
        .type(isMarkdown ? MARKDOWN_TYPE : JSON_TYPE)
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Readable.from(isMarkdown ? exportMarkdown(pieces) : exportJson(pieces)))
    }
  )
}

/** One conversation, to take along or to show. */
export const conversationExportRoutes: FastifyPluginAsyncTypebox<
  Exporting & {
    /** Throws where it is not there. */
    loadConversation: (tx: Tx, ownerId: string, id: string) => Promise<typeof conversations.$inferSelect>
  }
> = async (app, { loadConversation, ...exporting }) => {
  app.get(
    '/conversations/:id/export',
    {
      schema: {
        tags: ['conversations'],
        summary:
          'Export a conversation with all its branches and images, as JSON that POST /v1/import takes or, to be read, as Markdown',
        params: IdParams,
        querystring: ExportQuery,
        response: { 200: StreamedConversation }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const [conversation] = await exporting.database.readInOwner(ownerId, async (tx) =>
        exporting.hiding.titles(tx, ownerId, [await loadConversation(tx, ownerId, request.params.id)])
      )
      const head = toHead(conversation as typeof conversations.$inferSelect)
      const pieces = await gatherPieces(exporting, ownerId)
      const isMarkdown = request.query.format === 'markdown'
      const name = nameOfExport(head, pieces.head.exportedAt, isMarkdown ? 'md' : 'json')
      return reply
        .type(isMarkdown ? MARKDOWN_TYPE : JSON_TYPE)
        .header('content-disposition', contentDisposition('attachment', name))
        .send(
          Readable.from(
            isMarkdown ? exportConversationMarkdown(pieces, head) : exportConversationJson(pieces, head)
          )
        )
    }
  )
}

/** What was said elsewhere, or here before. */
export const importFileRoutes: FastifyPluginAsyncTypebox<{ importFrom: ImportFrom }> = async (
  app,
  { importFrom }
) => {
  // It is read where reading it holds up nobody.
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) =>
    done(null, bytes)
  )

  app.post(
    '/import',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags,
        summary:
          'Import an export of PAI, ChatGPT or Claude; sent twice, it is there once. A large one is brought in afterwards and answers 202',
        headers: IdempotencyHeaders,
        querystring: ImportQuery,
        body: ImportFile,
        response: { 200: ImportReport, 202: FileImportStarted }
      }
    },
    async (request, reply) => {
      const { extract = false } = request.query
      const key = request.headers['idempotency-key']
      const done = await importFrom(request.user.id, request.body as Buffer, extract, key)
      return 'importId' in done ? reply.code(202).send(done) : reply.code(200).send(done)
    }
  )
}
