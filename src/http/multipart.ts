import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FormInvalid } from './errors.ts'

/** A file that came in a form, as the JSON body of the same call has it. */
interface FormFile {
  mediaType: string
  /** base64. */
  data: string
  name?: string
}

/**
 * Takes a form with one file, in the field `file`, wherever the call takes `{mediaType, data, name}` as JSON. The form is
 * held in memory: what may be large is bounded by the route's `bodyLimit`.
 */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer) =>
      readForm(new Uint8Array(body), String(request.headers['content-type']))
  )
}

async function readForm(body: Uint8Array<ArrayBuffer>, type: string): Promise<FormFile> {
  const form = await new Response(body, { headers: { 'content-type': type } }).formData().catch((cause) => {
    throw new FormInvalid({ cause })
  })
  const file = form.get('file')
  if (!(file instanceof File) || [...form].length > 1) throw new FormInvalid()
  const data = Buffer.from(await file.arrayBuffer()).toString('base64')
  return { mediaType: file.type || 'application/octet-stream', data, ...(file.name && { name: file.name }) }
}
