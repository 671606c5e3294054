import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { describe, expect, test } from 'vitest'
import { isRetryable, ModelRateLimited, retryAfterOf } from '../../src/llm/errors.ts'
import { mapOpenAiError } from '../../src/llm/map-openai-error.ts'

function fromStatus(status: number, code?: string): Error {
  return APIError.generate(
    status,
    { error: { message: 'canary', code } },
    undefined,
    new Headers({ 'x-key': 'canary' })
  )
}

describe('mapOpenAiError', () => {
  test.each([
    [302, 'PAI_MODEL_REFUSED', false],
    [400, 'PAI_MODEL_REFUSED', false],
    [401, 'PAI_MODEL_REFUSED', false],
    [403, 'PAI_MODEL_REFUSED', false],
    [404, 'PAI_MODEL_REFUSED', false],
    [408, 'PAI_MODEL_TIMEOUT', true],
    [413, 'PAI_MODEL_CONTEXT_TOO_LONG', false],
    [422, 'PAI_MODEL_REFUSED', false],
    [429, 'PAI_MODEL_RATE_LIMITED', true],
    [500, 'PAI_MODEL_FAILED', true],
    [502, 'PAI_MODEL_FAILED', true]
  ])('makes of status %i %s', (status, code, retryable) => {
    const error = mapOpenAiError(fromStatus(status), 'openai:m')
    expect(error).toMatchObject({ code, cause: { status } })
    expect(error.message).toContain('openai:m')
    expect(isRetryable(code)).toBe(retryable)
  })

  test.each([
    [new APIConnectionTimeoutError(), 'PAI_MODEL_TIMEOUT'],
    [new APIConnectionError({ message: 'canary' }), 'PAI_MODEL_UNREACHABLE'],
    [new SyntaxError('canary'), 'PAI_MODEL_FAILED'],
    [new TypeError('terminated'), 'PAI_MODEL_FAILED'],
    ['canary', 'PAI_MODEL_FAILED'],
    [undefined, 'PAI_MODEL_FAILED']
  ])('makes of %s %s', (error, code) => {
    expect(mapOpenAiError(error, 'openai:m')).toMatchObject({ code })
  })

  test.each([
    ['insufficient_quota', 429, 'PAI_MODEL_OUT_OF_QUOTA'],
    [undefined, 402, 'PAI_MODEL_OUT_OF_QUOTA'],
    ['rate_limit_exceeded', 413, 'PAI_MODEL_RATE_LIMITED'],
    ['context_length_exceeded', 400, 'PAI_MODEL_CONTEXT_TOO_LONG']
  ])('makes of the code %s with status %i %s', (code, status, ours) => {
    expect(mapOpenAiError(fromStatus(status, code), 'openai:m')).toMatchObject({ code: ours })
  })

  test.each([
    [{ message: 'canary', code: 429 }, 'PAI_MODEL_RATE_LIMITED'],
    [{ message: 'canary', code: '502' }, 'PAI_MODEL_FAILED'],
    [{ message: 'canary', code: 401 }, 'PAI_MODEL_REFUSED'],
    [{ message: 'canary', type: 'rate_limit_error' }, 'PAI_MODEL_RATE_LIMITED'],
    [{ message: 'the context length is only 8', type: 'BadRequestError' }, 'PAI_MODEL_CONTEXT_TOO_LONG'],
    [{ message: 'canary' }, 'PAI_MODEL_FAILED']
  ])('makes of %j inside a stream %s', (error, code) => {
    const inStream = new APIError(undefined, error, undefined, undefined)
    expect(mapOpenAiError(inStream, 'openai:m')).toMatchObject({ code })
  })

  test.each([
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': new Date(Date.now() - 60_000).toUTCString() }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined]
  ])('reads from %j how long to wait', (headers, waitMs) => {
    const error = APIError.generate(429, { error: {} }, undefined, new Headers(headers))
    expect(retryAfterOf(mapOpenAiError(error, 'openai:m'))).toBe(waitMs)
  })

  test('reads how long to wait from a date', () => {
    const headers = new Headers({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() })
    const waitMs = retryAfterOf(
      mapOpenAiError(APIError.generate(503, { error: {} }, undefined, headers), 'openai:m')
    )
    expect(waitMs).toBeGreaterThan(50_000)
    expect(waitMs).toBeLessThanOrEqual(60_000)
  })

  test('keeps of the cause its name, status and code only', () => {
    const cause = mapOpenAiError(fromStatus(429, 'rate_limit_exceeded'), 'openai:m').cause as Error
    expect({ ...cause, name: cause.name, message: cause.message }).toEqual({
      name: 'RateLimitError',
      message: 'RateLimitError 429 rate_limit_exceeded',
      status: 429,
      code: 'rate_limit_exceeded'
    })
    expect(cause.stack).not.toContain('canary')
  })

  test("keeps the system's code of a broken connection", () => {
    const reset = Object.assign(new Error('canary'), { code: 'ECONNRESET' })
    const error = new APIConnectionError({
      message: 'canary',
      cause: new TypeError('fetch failed', { cause: reset })
    })
    expect(mapOpenAiError(error, 'openai:m').cause).toMatchObject({ code: 'ECONNRESET' })
  })

  test('does not take words for a code', () => {
    const { cause } = mapOpenAiError(fromStatus(400, 'my canary sings'), 'openai:m')
    expect(cause).not.toHaveProperty('code')
  })

  test('passes our own errors on as they are', () => {
    const ours = new ModelRateLimited('openai:m')
    expect(mapOpenAiError(ours, 'openai:other')).toBe(ours)
  })
})
