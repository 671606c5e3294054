import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { takeForms } from '../http/multipart.ts'
import { IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import { createAttachment, loadAttachment, readImage, removeAttachment } from './attachments.ts'
import { ImageInvalid } from './errors.ts'
import { Attachment, AttachmentBody, AttachmentContent } from './schemas.ts'

/** An image of 5 MB in base64, with what stands around it. */
const BODY_LIMIT = 7 * 1_048_576
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const tags = ['attachments']

/** Images for messages: kept, shown, and removed while no message has them. */
export const attachmentRoutes: FastifyPluginAsyncTypebox<{ database: Database }> = async (
  app,
  { database }
) => {
  takeForms(app)

  app.post(
    '/attachments',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags,
        summary:
          'Keep an image for a message: PNG, JPEG, WebP or GIF of 5 MB at most, as JSON or as a form with the one field `file`. One that no message takes goes after a day',
        consumes: ['application/json', 'multipart/form-data'],
        headers: IdempotencyHeaders,
        body: AttachmentBody,
        response: { 201: Attachment }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { data, name = null, mediaType } = request.body
      if (!BASE64.test(data)) throw new ImageInvalid()
      const image = readImage(Buffer.from(data, 'base64'))
      const sha256 = createHash('sha256').update(image.content).digest('hex')
      const call = {
        ownerId,
        key: request.headers['idempotency-key'],
        call: 'POST /v1/attachments',
        body: { sha256, name, mediaType }
      }
      const attachment = await database.inOwner(ownerId, (tx) =>
        once(tx, call, () => createAttachment(tx, ownerId, { ...image, name }))
      )
      return reply.code(201).send(attachment)
    }
  )

  app.get(
    '/attachments/:id',
    {
      schema: {
        tags,
        summary: 'The bytes of an image',
        params: IdParams,
        response: { 200: AttachmentContent }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      const { content, mediaType, name } = await database.readInOwner(ownerId, (tx) =>
        loadAttachment(tx, ownerId, request.params.id)
      )
      return (
        reply
          .type(mediaType)
          // An image never changes. Kept by its owner's browser alone, and for nobody else who signs in there.
          .header('cache-control', 'private, max-age=31536000, immutable')
          .header('vary', 'authorization')
          .header(
            'content-disposition',
            contentDisposition('inline', name ?? `image.${mediaType.slice('image/'.length)}`)
          )
          .header('content-security-policy', "default-src 'none'; sandbox")
          .send(content)
      )
    }
  )

  app.delete(
    '/attachments/:id',
    {
      schema: {
        tags,
        summary: 'Remove an image that no message has; one that a message has goes with it',
        params: IdParams,
        response: { 204: Type.Null() }
      }
    },
    async (request, reply) => {
      const { id: ownerId } = request.user
      await database.inOwner(ownerId, (tx) => removeAttachment(tx, ownerId, request.params.id))
      return reply.code(204).send(null)
    }
  )
}
