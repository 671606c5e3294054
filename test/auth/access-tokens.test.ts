import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createAccessTokens } from '../../src/auth/access-tokens.ts'
import { deriveKey } from '../../src/auth/secrets.ts'

const SECRET = 'a secret of the tests, long enough to pass'
const KEY = deriveKey(SECRET, 'access-token')
const USER = {
  id: '019a0000-0000-7000-8000-000000000001',
  email: 'ada@example.org',
  name: 'Ada',
  role: 'member'
} as const
const SESSION = '019a0000-0000-7000-8000-000000000002'
const HEADER = { alg: 'HS256', typ: 'JWT' }

const tokens = await createAccessTokens(SECRET)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
const publicJwk = rsa.publicKey.export({ format: 'jwk' })

const now = () => Math.floor(Date.now() / 1000)
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function goodClaims(): Record<string, unknown> {
  return {
    sub: USER.id,
    sid: SESSION,
    role: 'member',
    type: 'access',
    iss: 'pai',
    aud: 'pai',
    iat: now(),
    exp: now() + 900
  }
}

/** A token as we sign it, with some claims changed (undefined: left out). */
function sign(
  changes: Record<string, unknown> = {},
  header: object = HEADER,
  key: string | Buffer = KEY
): string {
  const input = `${encode(header)}.${encode({ ...goodClaims(), ...changes })}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

afterEach(() => {
  vi.useRealTimers()
})

test('a token names the owner, the session and the role, for fifteen minutes', () => {
  const token = tokens.issue(USER, SESSION)
  const { iat, exp, ...claims } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const read = { ownerId: USER.id, sessionId: SESSION, role: 'member', issuedAt: iat }
  expect(tokens.verify(token)).toEqual(read)
  expect(exp - iat).toBe(900)
  expect(claims).toEqual({
    sub: USER.id,
    sid: SESSION,
    role: 'member',
    type: 'access',
    iss: 'pai',
    aud: 'pai'
  })
})

test('a token expires, with a little patience for clocks that disagree', () => {
  const token = tokens.issue(USER, SESSION)
  const issued = Date.now()
  // Having been read before makes no difference.
  tokens.verify(token)
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(issued + 15 * 60_000 + 20_000)
  expect(tokens.verify(token).ownerId).toBe(USER.id)
  vi.setSystemTime(issued + 15 * 60_000 + 60_000)
  expect(() => tokens.verify(token)).toThrow(expect.objectContaining({ code: 'PAI_AUTH_TOKEN_EXPIRED' }))
})

test('the forger of these tests can make a good token, so what refuses the others is their fault', () => {
  expect(tokens.verify(sign()).ownerId).toBe(USER.id)
})

test('another secret’s tokens are not ours', async () => {
  const others = await createAccessTokens('another secret, also long enough to pass')
  expect(() => tokens.verify(others.issue(USER, SESSION))).toThrow(invalid)
})

const invalid = expect.objectContaining({ code: 'PAI_AUTH_TOKEN_INVALID', statusCode: 401 })

describe('a forged token is refused', () => {
  const unsigned = (alg: string) => `${encode({ ...HEADER, alg })}.${encode(goodClaims())}.`
  const [header, payload, signature] = sign().split('.') as [string, string, string]
  const rsInput = `${encode({ ...HEADER, alg: 'RS256' })}.${payload}`
  const other = encode({ ...goodClaims(), sub: SESSION })

  test.each<[string, string]>([
    ['alg none', unsigned('none')],
    ['alg None', unsigned('None')],
    ['alg nOnE', unsigned('nOnE')],
    ['alg none, with our signature', sign({}, { ...HEADER, alg: 'none' })],
    ['no signature', `${header}.${payload}.`],
    ['alg HS512', sign({}, { ...HEADER, alg: 'HS512' })],
    [
      'alg RS256, signed by its own key',
      `${rsInput}.${createSign('sha256').update(rsInput).sign(rsa.privateKey, 'base64url')}`
    ],
    ['alg RS256, signed with HMAC over our key', sign({}, { ...HEADER, alg: 'RS256' })],
    ['HMAC with a public key as the secret', sign({}, HEADER, publicPem)],
    ['HMAC with an empty secret', sign({}, HEADER, '')],
    ['HMAC with the secret itself, not the derived key', sign({}, HEADER, SECRET)],
    ['no alg', sign({}, { typ: 'JWT' })],
    ['a kid', sign({}, { ...HEADER, kid: '../../dev/null' })],
    ['a key of its own (jwk)', sign({}, { ...HEADER, jwk: publicJwk })],
    ['a key elsewhere (jku)', sign({}, { ...HEADER, jku: 'https://evil.example/keys' })],
    ['a critical extension', sign({}, { ...HEADER, crit: ['exp'] })],
    ['another type', sign({ type: 'refresh' })],
    ['no type', sign({ type: undefined })],
    ['another audience', sign({ aud: 'elsewhere' })],
    ['a list without our audience', sign({ aud: ['elsewhere'] })],
    ['no audience', sign({ aud: undefined })],
    ['another issuer', sign({ iss: 'pai.example' })],
    ['no issuer', sign({ iss: undefined })],
    ['no expiry', sign({ exp: undefined })],
    ['an expiry in words', sign({ exp: String(now() + 900) })],
    ['a null expiry', sign({ exp: null })],
    ['not yet', sign({ nbf: now() + 300 })],
    ['no subject', sign({ sub: undefined })],
    ['a subject that is no id', sign({ sub: 'everyone' })],
    ['a list of subjects', sign({ sub: [USER.id] })],
    ['no session', sign({ sid: undefined })],
    ['a role we do not know', sign({ role: 'root' })],
    ['a changed payload', `${header}.${other}.${signature}`],
    [
      'a changed signature',
      `${header}.${payload}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`
    ],
    ['a cut signature', `${header}.${payload}.${signature.slice(0, -2)}`],
    ['a space before', ` ${sign()}`],
    ['a space after', `${sign()} `],
    ['a line break inside', `${header}.\n${payload}.${signature}`],
    ['padding', `${header}.${payload}.${signature}=`],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${sign()}.${signature}`],
    ['a list as payload', `${header}.${encode([1])}.${signature}`],
    ['words', 'let me in'],
    ['nothing but dots', '..'],
    ['a great length', 'A'.repeat(100_000)]
  ])('%s', (_name, token) => {
    expect(() => tokens.verify(token)).toThrow(invalid)
  })
})

test('an expired token says so, but only when we signed it', () => {
  const past = { iat: now() - 2_000, exp: now() - 1_100 }
  expect(() => tokens.verify(sign(past))).toThrow(expect.objectContaining({ code: 'PAI_AUTH_TOKEN_EXPIRED' }))
  expect(() => tokens.verify(sign(past, HEADER, 'a guess'))).toThrow(invalid)
})
