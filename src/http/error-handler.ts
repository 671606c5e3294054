import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { sqlState } from '../db/client.ts'
import { DatabaseTooSlow, DatabaseUnavailable } from '../db/errors.ts'
import { FASTIFY_CODES, FASTIFY_DETAILS } from './errors.ts'
import type { Problem } from './schemas.ts'

type ProblemBody = Omit<Static<typeof Problem>, 'requestId'>

/** SQLSTATE classes and codes that mean the server cannot serve now: 08 connection, 53 resources, 57P shutdown, 58 its disk. */
const UNAVAILABLE = /^(08|53|57P0|58)/
/** A statement that was cut off, after the longest it may take or by an operator. */
const CUT_OFF = '57014'
const WENT_AWAY =
  /^(?:Connection terminated|Client (?:was closed|has encountered a connection error) and is not queryable)/
const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE'])

/** As nginx has it: the caller closed the request. Nobody is there to read it. */
export const CALLER_GONE = 499

/** What a stranger may read: all of our errors, and of others only what is the caller's fault. */
export function toProblem(error: unknown): ProblemBody {
  const { statusCode = 500, message, validation, validationContext } = (error ?? {}) as Partial<FastifyError>
  const code = codeOf(error)
  if (code.startsWith('PAI_')) return problem(statusCode, code, message ?? '')
  if (isUnavailable(error)) return toProblem(new DatabaseUnavailable())
  if (sqlState(error) === CUT_OFF) return toProblem(new DatabaseTooSlow())
  if (statusCode >= 500) return problem(500, 'PAI_INTERNAL', 'Something went wrong')
  if (!validation) {
    return problem(
      statusCode,
      FASTIFY_CODES[code] ?? 'PAI_REQUEST_INVALID',
      FASTIFY_DETAILS[code] ?? message ?? ''
    )
  }
  const errors = validation.map(({ instancePath, message: reason, params }) => ({
    path: `${validationContext ?? ''}${instancePath}`,
    // The names of fields that are not ours are the caller's own words; they help, and are bounded.
    message: [reason, String(params.additionalProperty ?? '').slice(0, 100)].filter(Boolean).join(': ')
  }))
  const detail = errors.map(({ path, message: reason }) => `${path} ${reason}`).join('; ')
  return { ...problem(400, 'PAI_VALIDATION', detail), errors }
}

/** A DOMException's code is a number, and what is thrown may be no error at all. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** Answers every error as `application/problem+json`, and logs the ones that are ours to mend. */
export function errorHandler(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isHangUp(error, reply)) return reply.code(CALLER_GONE).send()
  const body = toProblem(error)
  if (body.status >= 500) request.log.error({ err: error }, 'answering a request')
  // An address that cannot be read is refused before the hook that sets this.
  reply.header('x-request-id', request.id)
  if (body.status === 401) reply.header('www-authenticate', 'Bearer')
  if (body.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1')
  return reply
    .code(body.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...body, requestId: request.id }))
}

/** Whether the caller has left, and the work for them was therefore called off: nothing is wrong then. */
export function isHangUp(error: unknown, { raw }: FastifyReply): boolean {
  return raw.destroyed && !raw.writableFinished && error instanceof Error && error.name === 'AbortError'
}

function problem(status: number, code: string, detail: string): ProblemBody {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code }
}

function isUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  if (state) return UNAVAILABLE.test(state)
  for (let current = error; current instanceof Error; current = current.cause) {
    if (CONNECTION_LOST.has((current as NodeJS.ErrnoException).code ?? '')) return true
    // pg has no code for a connection that went away under a query, or just before the next.
    if (WENT_AWAY.test(current.message)) return true
  }
  return false
}
