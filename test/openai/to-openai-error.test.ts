import { expect, test } from 'vitest'
import * as modelErrors from '../../src/llm/errors.ts'
import { toOpenAiError, toTurnFailure } from '../../src/openai/to-openai-error.ts'

test.each([
  ['PAI_MODEL_PROVIDER_DOWN', 503, 'PAI_MODEL_PROVIDER_DOWN'],
  ['PAI_DATABASE_UNAVAILABLE', 503, 'PAI_DATABASE_UNAVAILABLE'],
  ['PAI_MODEL_OUT_OF_QUOTA', 429, 'insufficient_quota'],
  ['PAI_MODEL_RATE_LIMITED', 429, 'rate_limit_exceeded'],
  ['PAI_CHAT_REPLY_TOO_LONG', 502, 'PAI_CHAT_REPLY_TOO_LONG'],
  ['PAI_MODEL_IMAGES_TOO_LARGE', 400, 'PAI_MODEL_IMAGES_TOO_LARGE'],
  ['PAI_CHAT_TURN_INTERRUPTED', 500, 'PAI_CHAT_TURN_INTERRUPTED'],
  ['PAI_INTERNAL', 500, 'PAI_INTERNAL']
])('a turn that ended with %s is answered with %i', (code, status, theirs) => {
  const failure = toTurnFailure({ code, message: 'Why it failed' })
  expect(failure).toMatchObject({ status, body: { error: { code: theirs, message: 'Why it failed' } } })
})

const MODEL_ERRORS = Object.values(modelErrors).filter((made) => /^[A-Z]/.test(made.name))

test('whatever a model ends a turn with says whose fault it is, thrown or told alike', () => {
  expect(MODEL_ERRORS.length).toBeGreaterThan(10)
  for (const Made of MODEL_ERRORS) {
    const error = new (Made as unknown as new (...parts: unknown[]) => Error & { code: string })('m', 1, 1)
    const { status } = toTurnFailure(error)
    expect([error.code, toOpenAiError(error).status]).toEqual([error.code, status])
    // A vector that is too short is a setting of ours.
    expect([error.code, status === 500]).toEqual([error.code, error.code === 'PAI_MODEL_EMBEDDING_TOO_SHORT'])
  }
})
