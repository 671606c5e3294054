import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

/**
 * Checks requests against the routes' schemas. Unknown fields are refused, never dropped; a body says exactly what it
 * means, while a query string is text by nature, so only there numbers are read from it.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<TSchema> {
  const strict = createAjv(false)
  const coercing = createAjv(true)
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema)
}

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ coerceTypes, useDefaults: true, removeAdditional: false, allErrors: false })
  addFormats.default(ajv)
  return ajv
}
