import { expect, test } from 'vitest'
import { derivedSecret, deriveKey, hashSecret, isSecret, randomSecret } from '../../src/auth/secrets.ts'

test('each purpose has a key of its own, and each secret other keys', () => {
  const keys = ['access-token', 'refresh-token'].flatMap((purpose) =>
    ['one secret', 'another'].map((secret) => deriveKey(secret, purpose).toString('hex'))
  )
  expect(new Set(keys).size).toBe(4)
  expect(deriveKey('one secret', 'access-token').toString('hex')).toBe(keys[0])
  expect(keys[0]).toHaveLength(64)
})

test('a random secret has 32 bytes behind its prefix, and is never the same', () => {
  const secrets = Array.from({ length: 100 }, () => randomSecret('pai_'))
  expect(new Set(secrets).size).toBe(100)
  for (const secret of secrets) expect(isSecret('pai_', secret)).toBe(true)
})

test('a derived secret is the same for the same words and key, and only for them', () => {
  const key = deriveKey('a secret', 'test')
  const derived = derivedSecret('pai_', key, 'a', 'bc')
  expect(isSecret('pai_', derived)).toBe(true)
  expect(derivedSecret('pai_', key, 'a', 'bc')).toBe(derived)
  expect(derivedSecret('pai_', key, 'ab', 'c')).not.toBe(derived)
  expect(derivedSecret('pai_', deriveKey('a secret', 'other'), 'a', 'bc')).not.toBe(derived)
})

test('what has another prefix, length or alphabet is no secret', () => {
  const rest = 'A'.repeat(43)
  expect(isSecret('pai_', `pai_${rest}`)).toBe(true)
  for (const text of [
    '',
    'pai_',
    rest,
    `pair_${rest}`,
    `pai_${rest}A`,
    `pai_${rest.slice(1)}`,
    `pai_${rest}\n`,
    `pai_+${rest.slice(1)}`
  ])
    expect(isSecret('pai_', text)).toBe(false)
})

test('what is stored of a secret is its SHA-256', () => {
  expect(hashSecret('abc').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  )
})
