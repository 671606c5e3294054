import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { UUID } from '../db/client.ts'

/**
 * Checks requests against the routes' schemas. Unknown fields are refused, never dropped; a body says exactly what it
 * means, while a query string is text by nature, so only there numbers are read from it.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<TSchema> {
  const strict = createAjv(false)
  const coercing = createAjv(true)
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema)
}

const EARLIEST = Date.parse('0001-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({
    coerceTypes,
    useDefaults: true,
    removeAdditional: false,
    allErrors: false,
    // Text may say Infinity, which only then counts as a number and meets its maximum.
    strictNumbers: !coerceTypes
  })
  addFormats.default(ajv, ['date-time'])
  const isDateTime = ajv.formats['date-time'] as { validate: (text: string) => boolean }
  // Narrower than the standard formats, to what both Date and PostgreSQL take: no urn:uuid:, no leap second, no year 0.
  ajv.addFormat('uuid', UUID)
  ajv.addFormat('date-time', (text) => {
    const time = Date.parse(text)
    return isDateTime.validate(text) && time >= EARLIEST && time <= LATEST
  })
  return ajv
}
