import { hash as argonHash, verify as argonVerify, parseOptions } from '@node-rs/argon2'
import { expect, test, vi } from 'vitest'
import { createPasswords, createTurns } from '../../src/auth/passwords.ts'

vi.mock('@node-rs/argon2', async (original) => {
  const argon = await original<typeof import('@node-rs/argon2')>()
  return { ...argon, verify: vi.fn(argon.verify) }
})

const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

test('a hash is argon2id at the cost OWASP asks for, and salted', async () => {
  const passwords = createPasswords()
  const first = await passwords.hash('correct horse')
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.hash('correct horse')).not.toBe(first)
})

test('only the password that was hashed fits', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('correct horse')
  expect(await passwords.verify(hash, 'correct horse')).toBe(true)
  expect(await passwords.verify(hash, 'correct horse ')).toBe(false)
  expect(await passwords.verify(hash, '')).toBe(false)
})

test('an unknown user’s password is checked at the full cost and never fits', async () => {
  const passwords = createPasswords()
  vi.mocked(argonVerify).mockClear()
  expect(await passwords.verify(undefined, 'anything')).toBe(false)
  expect(vi.mocked(argonVerify)).toHaveBeenCalledTimes(1)
  const [checked] = vi.mocked(argonVerify).mock.calls[0] ?? []
  expect(parseOptions(checked ?? '')).toMatchObject(COST)
  vi.mocked(argonVerify).mockResolvedValueOnce(true)
  expect(await passwords.verify(undefined, 'anything')).toBe(false)
})

test('a hash is outdated when its memory or its passes are fewer than today’s', async () => {
  const passwords = createPasswords()
  expect(passwords.isOutdated(await argonHash('x', { ...COST, memoryCost: 8_192 }))).toBe(true)
  expect(passwords.isOutdated(await argonHash('x', { ...COST, timeCost: 1 }))).toBe(true)
  expect(passwords.isOutdated(await argonHash('x', COST))).toBe(false)
  expect(passwords.isOutdated(await argonHash('x', { ...COST, timeCost: 3 }))).toBe(false)
})

test('so many work at once, so many wait in order, and the rest are told to come back', async () => {
  const inTurn = createTurns(2, 3)
  const started: number[] = []
  const finish: (() => void)[] = []
  const work = (n: number) =>
    inTurn(() => {
      started.push(n)
      return new Promise<void>((resolve) => finish.push(resolve))
    })
  const running = [work(1), work(2), work(3), work(4), work(5)]
  await expect(work(6)).rejects.toMatchObject({ code: 'PAI_AUTH_BUSY', statusCode: 503 })
  expect(started).toEqual([1, 2])
  finish.shift()?.()
  await vi.waitFor(() => expect(started).toEqual([1, 2, 3]))
  running.push(work(7))
  for (let done = 0; done < 5; done++) {
    await vi.waitFor(() => expect(finish.length).toBeGreaterThan(0))
    finish.shift()?.()
  }
  await Promise.all(running)
  expect(started).toEqual([1, 2, 3, 4, 5, 7])
})

test('work that fails gives its place back', async () => {
  const inTurn = createTurns(1, 0)
  await expect(inTurn(() => Promise.reject(new Error('out of memory')))).rejects.toThrow('out of memory')
  expect(await inTurn(async () => 'well')).toBe('well')
})

test('at most two passwords are worked on at once, and fifty wait', async () => {
  const passwords = createPasswords()
  const attempts = await Promise.allSettled(
    Array.from({ length: 53 }, () => passwords.verify(undefined, 'flood'))
  )
  const refused = attempts.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(1)
  expect(refused[0]).toMatchObject({ reason: { code: 'PAI_AUTH_BUSY' } })
})
