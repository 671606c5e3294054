import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { describe, expect, test } from 'vitest'
import { isRetryable, ModelRateLimited } from '../../src/llm/errors.ts'
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
