import { describe, expect, test } from 'vitest'
import { createBreaker } from '../../src/llm/breaker.ts'

const SETTINGS = { failures: 3, windowMs: 1_000, restMs: 500 }

function setup() {
  let nowMs = 0
  const breaker = createBreaker(SETTINGS, () => nowMs)
  return {
    breaker,
    pass(ms: number) {
      nowMs += ms
    },
    fail(times: number) {
      for (let count = 0; count < times; count++) breaker.enter('m')('failed')
    }
  }
}

describe('a provider', () => {
  test('is left alone after so many failures, and not before', () => {
    const { breaker, fail } = setup()
    fail(2)
    expect(breaker.state()).toBe('closed')
    fail(1)
    expect(breaker.state()).toBe('open')
    expect(() => breaker.enter('openai:m')).toThrow(
      expect.objectContaining({
        code: 'PAI_MODEL_PROVIDER_DOWN',
        message: expect.stringContaining('openai:m'),
        retryAfterMs: 1_000
      })
    )
  })

  test('is not blamed for failures that are long ago', () => {
    const { breaker, fail, pass } = setup()
    fail(2)
    pass(1_001)
    fail(2)
    expect(breaker.state()).toBe('closed')
  })

  test('is blamed for failures between answers: one that fails half of its calls fails', () => {
    const { breaker, fail } = setup()
    for (let round = 0; round < 3; round++) {
      fail(1)
      if (round < 2) breaker.enter('m')('answered')
    }
    expect(breaker.state()).toBe('open')
  })

  test('is tried by one call after its rest, and serves again when that was answered', () => {
    const { breaker, fail, pass } = setup()
    fail(3)
    pass(500)
    expect(breaker.state()).toBe('half-open')
    const leave = breaker.enter('m')
    expect(() => breaker.enter('m')).toThrow(expect.objectContaining({ code: 'PAI_MODEL_PROVIDER_DOWN' }))
    leave('answered')
    expect(breaker.state()).toBe('closed')
    fail(2)
    expect(breaker.state()).toBe('closed')
  })

  test('rests again when the call that tried it failed', () => {
    const { breaker, fail, pass } = setup()
    fail(3)
    pass(500)
    breaker.enter('m')('failed')
    expect(breaker.state()).toBe('open')
    pass(500)
    expect(breaker.state()).toBe('half-open')
  })

  test('is tried by the next call where the one that tried it was given up', () => {
    const { breaker, fail, pass } = setup()
    fail(3)
    pass(500)
    breaker.enter('m')('unsaid')
    expect(breaker.state()).toBe('half-open')
    breaker.enter('m')('answered')
    expect(breaker.state()).toBe('closed')
  })

  test('is blamed for what breaks off in the middle', () => {
    const { breaker } = setup()
    for (let count = 0; count < 3; count++) {
      breaker.enter('m')('answered')
      breaker.noteFailure()
    }
    expect(breaker.state()).toBe('open')
  })
})
