import { describe, expect, test, vi } from 'vitest'
import { type Breaker, createBreaker } from '../../src/llm/breaker.ts'
import {
  ModelFailed,
  ModelRateLimited,
  ModelRefused,
  ModelTimeout,
  ModelUnreachable
} from '../../src/llm/errors.ts'
import { createGuard, RETRIES } from '../../src/llm/guard.ts'

const signal = new AbortController().signal

function setup(settings: Partial<typeof RETRIES> = {}) {
  const breaker = createBreaker({ failures: 2, windowMs: 60_000, restMs: 60_000 })
  return { breaker, guard: createGuard(breaker, { ...RETRIES, firstWaitMs: 1, ...settings }) }
}

/** Fails with these in turn, then answers. */
function failing(...errors: Error[]) {
  return vi.fn(async () => {
    const error = errors.shift()
    if (error) throw error
    return 'answer'
  })
}

function limited(retryAfterMs: number): Error {
  return Object.assign(new ModelRateLimited('m'), { retryAfterMs })
}

describe('a call', () => {
  test('that may yet succeed is tried three times', async () => {
    const { guard } = setup()
    const call = failing(new ModelFailed('m'), new ModelUnreachable('m'))
    expect(await guard.run('m', signal, call)).toBe('answer')
    const all = failing(...Array.from({ length: 4 }, () => new ModelRateLimited('m')))
    await expect(guard.run('m', signal, all)).rejects.toThrow(ModelRateLimited)
    expect(all).toHaveBeenCalledTimes(3)
  })

  test.each([new ModelRefused('m'), new ModelTimeout('m'), new TypeError('a fault of ours')])(
    'that ended with %s is not tried again',
    async (error) => {
      const { guard } = setup()
      const call = failing(error)
      await expect(guard.run('m', signal, call)).rejects.toBe(error)
      expect(call).toHaveBeenCalledTimes(1)
    }
  )

  test('waits as long as it is asked to', async () => {
    const { guard } = setup()
    const began = performance.now()
    await guard.run('m', signal, failing(limited(80)))
    expect(performance.now() - began).toBeGreaterThanOrEqual(79)
  })

  test('is not tried again after too long a wait, and sooner so where another model can answer', async () => {
    const { guard } = setup({ longestWaitMs: 50, longestWaitWithOthersMs: 5 })
    const patient = failing(limited(20))
    expect(await guard.run('m', signal, patient)).toBe('answer')
    const others = failing(limited(20))
    await expect(guard.run('m', signal, others, true)).rejects.toThrow(ModelRateLimited)
    const longer = failing(limited(51))
    await expect(guard.run('m', signal, longer)).rejects.toThrow(ModelRateLimited)
    expect([others, longer].map((call) => call.mock.calls.length)).toEqual([1, 1])
  })

  test('is not tried again when its time is over', async () => {
    const { guard } = setup({ withinMs: 10 })
    const call = failing(limited(20))
    await expect(guard.run('m', signal, call)).rejects.toThrow(ModelRateLimited)
    expect(call).toHaveBeenCalledTimes(1)
  })

  test('that is given up while it waits ends at once, with the reason', async () => {
    const { guard, breaker } = setup()
    const stop = new AbortController()
    const call = failing(limited(9_000))
    const answer = guard.run('m', stop.signal, call)
    await vi.waitFor(() => expect(call).toHaveBeenCalled())
    stop.abort('stopped')
    await expect(answer).rejects.toBe('stopped')
    expect(breaker.state()).toBe('closed')
  })

  test('waits for a time of its own, so that not all come back at once', async () => {
    const random = vi.spyOn(Math, 'random')
    const times: number[] = []
    for (const value of [0, 1]) {
      random.mockReturnValue(value)
      const began = performance.now()
      await setup({ firstWaitMs: 60 }).guard.run('m', signal, failing(new ModelFailed('m')))
      times.push(performance.now() - began)
    }
    random.mockRestore()
    expect(times[1]).toBeGreaterThan((times[0] ?? 0) + 15)
  })
})

describe('a model that asks to be left alone', () => {
  test('is, by later calls too, which are refused at once for as long as it said, and no other model', async () => {
    let time = 0
    const breaker = createBreaker()
    const guard = createGuard(breaker, RETRIES, undefined, () => time)
    await expect(guard.run('m', signal, failing(limited(3_600_000)))).rejects.toThrow(ModelRateLimited)
    const call = failing()
    time = 3_000_000
    await expect(guard.run('m', signal, call)).rejects.toMatchObject({
      code: 'PAI_MODEL_RATE_LIMITED',
      retryAfterMs: 600_000
    })
    expect(call).not.toHaveBeenCalled()
    expect(await guard.run('other', signal, failing())).toBe('answer')
    time = 3_600_000
    expect(await guard.run('m', signal, call)).toBe('answer')
  })

  test('by a failure is away for so long, and for an hour at most', async () => {
    let time = 0
    const guard = createGuard(createBreaker(), RETRIES, undefined, () => time)
    const failed = Object.assign(new ModelFailed('m'), { retryAfterMs: 1e12 })
    await expect(guard.run('m', signal, failing(failed))).rejects.toThrow(ModelFailed)
    time = 3_500_000
    await expect(guard.run('m', signal, failing())).rejects.toMatchObject({
      code: 'PAI_MODEL_PROVIDER_DOWN',
      message: expect.stringContaining('in 100 seconds')
    })
    time = 3_600_000
    expect(await guard.run('m', signal, failing())).toBe('answer')
  })

  test('for a moment is waited for', async () => {
    const { guard } = setup({ tries: 1 })
    await expect(guard.run('m', signal, failing(limited(60)))).rejects.toThrow(ModelRateLimited)
    const began = performance.now()
    expect(await guard.run('m', signal, failing())).toBe('answer')
    expect(performance.now() - began).toBeGreaterThan(30)
    await expect(guard.run('m', signal, failing(limited(60)))).rejects.toThrow(ModelRateLimited)
    const stop = new AbortController()
    const waiting = guard.run('m', stop.signal, failing())
    stop.abort('stopped')
    await expect(waiting).rejects.toBe('stopped')
  })
})

describe('a provider', () => {
  test('that fails call after call is left alone', async () => {
    const { guard } = setup({ tries: 1 })
    for (let count = 0; count < 2; count++)
      await expect(guard.run('m', signal, failing(new ModelUnreachable('m')))).rejects.toThrow()
    const call = failing()
    await expect(guard.run('m', signal, call)).rejects.toMatchObject({ code: 'PAI_MODEL_PROVIDER_DOWN' })
    expect(call).not.toHaveBeenCalled()
  })

  test.each([new ModelRefused('m'), new ModelRateLimited('m'), new TypeError('a fault of ours')])(
    'is there when it answers with %s',
    async (error) => {
      const { guard, breaker } = setup({ tries: 1 })
      for (let count = 0; count < 5; count++)
        await expect(guard.run('m', signal, failing(error))).rejects.toBe(error)
      expect(breaker.state()).toBe('closed')
    }
  )

  test('is not blamed for a call that was given up', async () => {
    const results: string[] = []
    const breaker: Breaker = {
      enter: () => (result) => void results.push(result),
      noteFailure: () => {},
      state: () => 'closed'
    }
    const stop = new AbortController()
    const call = async () => {
      stop.abort('stopped')
      throw new ModelUnreachable('m')
    }
    await expect(createGuard(breaker).run('m', stop.signal, call)).rejects.toBe('stopped')
    expect(results).toEqual(['unsaid'])
  })
})
