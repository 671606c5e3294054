import { DrizzleQueryError } from 'drizzle-orm'
import type { FastifyServerOptions } from 'fastify'
import pg from 'pg'
import { type Logger, pino } from 'pino'
import { isTracing, traceIds } from '../telemetry/traced.ts'

export interface SerializedError {
  type: string
  message: string
  stack: string
  [fact: string]: unknown
}

/** A code is one word; what a vendor sends in its place may be a sentence. */
const CODE = /^[\w.-]{1,64}$/

/**
 * An error without the person's words. Database errors carry bound values in their message and detail, and vendors'
 * errors whole requests, so of an error only what we wrote or what cannot hold words is kept.
 */
export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const { name, code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown }
  const ours = typeof code === 'string' && code.startsWith('PAI_')
  return {
    type: name,
    ...(typeof code === 'string' && CODE.test(code) ? { code } : {}),
    ...(typeof statusCode === 'number' ? { statusCode } : {}),
    message: ours ? error.message : '',
    ...(error instanceof pg.DatabaseError ? databaseFacts(error) : {}),
    // Its statement has placeholders where the values were; its parameters are the values.
    ...(error instanceof DrizzleQueryError ? { query: error.query } : {}),
    stack: framesOf(error),
    ...(error.cause ? { cause: serializeError(error.cause) } : {})
  }
}

function databaseFacts({
  severity,
  table,
  constraint,
  routine,
  message,
  code
}: pg.DatabaseError): Record<string, unknown> {
  // Class 42 speaks of the statement, whose text is ours; every other message may show a value.
  return { severity, table, constraint, routine, ...(code?.startsWith('42') ? { message } : {}) }
}

/**
 * The stack without its first lines, which repeat the message. They are cut off by the message itself: a line of it may
 * look like a frame. Where it is not found, it was changed later, and none of the lines can be told apart.
 */
function framesOf({ stack = '', message }: Error): string {
  const start = stack.indexOf(message)
  if (start === -1) return ''
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}

/** Lines that nobody takes are kept up to here, and then let go of. */
const MAX_UNWRITTEN_BYTES = 1_048_576

/**
 * The log of the process. Where it cannot be written, the disk being full or its reader gone, PAI goes on without it: pino
 * would end the process.
 */
export function openLog(level: string, fd = 1): Logger {
  const destination = pino.destination({ dest: fd, sync: true, maxLength: MAX_UNWRITTEN_BYTES })
  destination.on('error', () => {})
  return pino(loggerOptions(level), destination)
}

/** pino options of the service: no bodies, no headers, no query strings, no values. */
export function loggerOptions(level: string): NonNullable<Exclude<FastifyServerOptions['logger'], boolean>> {
  return {
    level,
    base: null,
    ...(isTracing() && { mixin: traceIds }),
    serializers: {
      err: serializeError,
      req: (request) => ({ method: request.method, path: request.url?.split('?')[0] }),
      res: (reply) => ({ statusCode: reply.statusCode })
    },
    hooks: {
      // Given an error and no message, pino would copy the error's own message into the line.
      logMethod(args, method) {
        const [first, ...rest] = args as unknown as [unknown, ...unknown[]]
        if (first instanceof Error) {
          method.apply(this, [{ err: first }, typeof rest[0] === 'string' ? rest[0] : 'an error'] as never)
        } else if (isErrorRecord(first) && typeof rest[0] !== 'string') {
          method.apply(this, [first, 'an error'] as never)
        } else {
          method.apply(this, args)
        }
      }
    }
  }
}

function isErrorRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'err' in value
}
