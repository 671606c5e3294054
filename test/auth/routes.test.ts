import fastifyRateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { RefreshInvalid } from '../../src/auth/errors.ts'
import { type AuthRoutesOptions, authRoutes } from '../../src/auth/routes.ts'
import { DatabaseUnavailable } from '../../src/db/errors.ts'
import { errorHandler } from '../../src/http/error-handler.ts'
import { rateLimitOptions } from '../../src/http/rate-limit.ts'
import { createValidatorCompiler } from '../../src/http/validation.ts'

const OPENED = {
  user: {
    id: '019a0000-0000-7000-8000-000000000001',
    email: 'ada@example.org',
    name: 'Ada',
    role: 'member'
  },
  accessToken: 'an access token',
  refreshToken: 'pair_next',
  expiresIn: 900
} as const
const ACCOUNT = { email: 'ada@example.org', password: 'bees in Tromsø' }
const WEB = { 'x-pai-client': 'web' }
const COOKIE = 'pai_refresh=pair_now'

/** The public routes over functions that only say what they were given. */
function setup(
  { trustProxy, ...overrides }: Partial<AuthRoutesOptions> & { trustProxy?: string } = {},
  requestsAMinute?: number
) {
  const given: unknown[] = []
  const note = async (value: unknown) => {
    given.push(value)
    return OPENED
  }
  const app = Fastify(trustProxy ? { trustProxy } : {})
  onTestFinished(() => app.close())
  app.setValidatorCompiler(createValidatorCompiler())
  app.setErrorHandler(errorHandler)
  if (requestsAMinute) app.register(fastifyRateLimit, rateLimitOptions(requestsAMinute))
  app.register(authRoutes, {
    prefix: '/v1',
    register: note,
    signIn: note,
    refresh: note,
    signOut: async (token) => void given.push(token),
    hasAccounts: async () => true,
    rateLimit: requestsAMinute !== undefined,
    ...overrides
  })
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/v1/auth/${path}`, payload: body, headers })
  const status = (headers: Record<string, string> = {}) => app.inject({ url: '/v1/auth/status', headers })
  return { given, post, status }
}

test('a visitor is told whether there are accounts, and whether they have brought a session: no more', async () => {
  const { status } = setup()
  expect((await status(WEB)).json()).toEqual({ hasAccounts: true, hasSession: false })
  expect((await status({ ...WEB, cookie: COOKIE })).json()).toEqual({ hasAccounts: true, hasSession: true })
  // Only the web app's own page may ask about its cookie.
  expect((await status({ cookie: COOKIE })).json()).toEqual({ hasAccounts: true, hasSession: false })
  const elsewhere = { ...WEB, cookie: COOKIE, host: 'pai.example', origin: 'https://evil.example' }
  expect((await status(elsewhere)).statusCode).toBe(403)
  const empty = setup({ hasAccounts: async () => false })
  expect((await empty.status()).json()).toEqual({ hasAccounts: false, hasSession: false })
})

test('other clients get the refresh token in the body and no cookie', async () => {
  const { post } = setup()
  for (const path of ['register', 'login', 'refresh']) {
    const response = await post(path, path === 'refresh' ? { refreshToken: 'pair_now' } : ACCOUNT)
    expect(response.json()).toEqual(OPENED)
    expect(response.headers['set-cookie']).toBeUndefined()
  }
})

test('the web app gets the refresh token as a cookie and not in the body', async () => {
  const { post } = setup()
  const { refreshToken, ...rest } = OPENED
  for (const path of ['register', 'login', 'refresh']) {
    const response = await post(path, path === 'refresh' ? {} : ACCOUNT, { ...WEB, cookie: COOKIE })
    expect(response.json()).toEqual(rest)
    expect(response.cookies).toEqual([
      {
        name: 'pai_refresh',
        value: refreshToken,
        httpOnly: true,
        sameSite: 'Strict',
        path: '/v1/auth',
        maxAge: 30 * 24 * 60 * 60
      }
    ])
  }
})

// A Secure cookie over plain HTTP is dropped, and a neighbour on the LAN could not stay signed in.
test.each([
  ['localhost:3000', 'http://localhost:3000', false],
  ['192.168.1.7:3000', 'http://192.168.1.7:3000', false],
  ['192.168.1.7:3000', undefined, false],
  ['pai.example.org', 'https://pai.example.org', true]
])('to %s from a page of %s the cookie’s Secure is %s', async (host, origin, secure) => {
  const { post } = setup()
  const response = await post('login', ACCOUNT, { ...WEB, host, ...(origin && { origin }) })
  expect(response.cookies[0]?.secure ?? false).toBe(secure)
})

test('a proxy that is trusted says how the browser speaks, and no other is believed', async () => {
  for (const [trustProxy, secure] of [
    ['127.0.0.1', true],
    ['10.0.0.1', false]
  ] as const) {
    const { post } = setup({ trustProxy })
    const response = await post('login', ACCOUNT, { ...WEB, 'x-forwarded-proto': 'https' })
    expect(response.cookies[0]?.secure ?? false).toBe(secure)
  }
})

test('the cookie counts only with the web app’s header', async () => {
  const { given, post } = setup()
  await post('refresh', {}, { cookie: COOKIE })
  await post('refresh', {}, { cookie: COOKIE, 'x-pai-client': 'cli' })
  await post('logout', {}, { cookie: COOKIE })
  expect(given).toEqual([undefined, undefined, undefined])
  await post('refresh', {}, { ...WEB, cookie: COOKIE })
  await post('logout', {}, { ...WEB, cookie: COOKIE })
  expect(given.slice(3)).toEqual(['pair_now', 'pair_now'])
})

test('a token in the body goes before the cookie', async () => {
  const { given, post } = setup()
  await post('refresh', { refreshToken: 'pair_body' }, { ...WEB, cookie: COOKIE })
  expect(given).toEqual(['pair_body'])
})

test.each(['https://evil.example', 'null', 'http://localhost', 'http://localhost:3001', 'nonsense'])(
  'a web client on a page of %s is refused',
  async (origin) => {
    const { given, post } = setup()
    for (const path of ['register', 'login', 'refresh', 'logout']) {
      const headers = { ...WEB, cookie: COOKIE, host: 'localhost:3000', origin }
      const response = await post(path, path === 'refresh' || path === 'logout' ? {} : ACCOUNT, headers)
      expect(response.statusCode).toBe(403)
      expect(response.json().code).toBe('PAI_AUTH_ORIGIN_REFUSED')
    }
    expect(given).toEqual([])
  }
)

test('a web client on our own page passes', async () => {
  const { post } = setup()
  const headers = { ...WEB, cookie: COOKIE }
  for (const [host, origin] of [
    ['localhost:3000', 'http://localhost:3000'],
    ['pai.example.org', 'https://pai.example.org'],
    ['PAI.example.org', 'https://pai.example.org']
  ] as const)
    expect((await post('refresh', {}, { ...headers, host, origin })).statusCode).toBe(200)
})

test('signing out takes the cookie away', async () => {
  const { post } = setup()
  const response = await post('logout', {}, { ...WEB, cookie: COOKIE })
  expect(response.statusCode).toBe(204)
  expect(response.cookies).toEqual([
    expect.objectContaining({ name: 'pai_refresh', value: '', maxAge: 0, path: '/v1/auth', httpOnly: true })
  ])
})

test('a renewal that is refused takes the cookie away, one that could not be tried leaves it', async () => {
  const refused = setup({ refresh: () => Promise.reject(new RefreshInvalid()) })
  const response = await refused.post('refresh', {}, { ...WEB, cookie: COOKIE })
  expect(response.statusCode).toBe(401)
  expect(response.json().code).toBe('PAI_AUTH_REFRESH_INVALID')
  expect(response.cookies).toEqual([expect.objectContaining({ name: 'pai_refresh', value: '', maxAge: 0 })])

  const away = setup({ refresh: () => Promise.reject(new DatabaseUnavailable()) })
  const later = await away.post('refresh', {}, { ...WEB, cookie: COOKIE })
  expect(later.statusCode).toBe(503)
  expect(later.cookies).toEqual([])
})

test.each<[string, object]>([
  ['no address', { email: undefined }],
  ['an address without @', { email: 'ada.example.org' }],
  ['an address with nothing before the @', { email: '@example.org' }],
  ['two addresses', { email: 'a@b.example, c@d.example' }],
  ['an address of 255 characters', { email: `${'a'.repeat(243)}@example.org` }],
  ['a password of seven characters', { password: 'seven77' }],
  ['a password of 257 characters', { password: 'x'.repeat(257) }],
  ['a password that is a number', { password: 1234567890 }],
  ['an empty name', { name: '  ' }],
  ['a name of 101 characters', { name: 'x'.repeat(101) }],
  ['an invitation that is null', { invitation: null }],
  ['a role', { role: 'admin' }]
])('registering with %s is refused', async (_name, change) => {
  const { given, post } = setup()
  const response = await post('register', { ...ACCOUNT, ...change })
  expect(response.statusCode).toBe(400)
  expect(response.json().code).toBe('PAI_VALIDATION')
  expect(given).toEqual([])
})

test('registering with the longest address, name and password is not', async () => {
  const { post } = setup()
  const body = { email: `${'a'.repeat(242)}@example.org`, name: 'x'.repeat(100), password: 'ø'.repeat(256) }
  expect((await post('register', body)).statusCode).toBe(201)
})

test.each([
  {},
  { email: 'ada@example.org' },
  { email: 'ada@example.org', password: ['x'] },
  { email: 'ada@example.org', password: '' },
  { email: 'ada@example.org', password: 'x', admin: true }
])('signing in with %j is refused', async (body) => {
  const { given, post } = setup()
  const response = await post('login', body)
  expect(response.json()).toMatchObject({ status: 400, code: 'PAI_VALIDATION' })
  expect(given).toEqual([])
})

test('a short password may be tried: it is only wrong', async () => {
  const { given, post } = setup()
  expect((await post('login', { ...ACCOUNT, password: 'x' })).statusCode).toBe(200)
  expect(given).toHaveLength(1)
})

test.each([null, 1, ['pair_now'], '', { $ne: null }])(
  'a refresh token of %j is refused',
  async (refreshToken) => {
    const { given, post } = setup()
    for (const path of ['refresh', 'logout'])
      expect((await post(path, { refreshToken })).json().code).toBe('PAI_VALIDATION')
    expect(given).toEqual([])
  }
)

test('guessing is slowed down long before other requests are', async () => {
  const { given, post } = setup({}, 1_000)
  for (const path of ['register', 'login', 'refresh']) {
    given.length = 0
    const body = path === 'refresh' ? {} : ACCOUNT
    const statuses = []
    for (let attempt = 0; attempt < 22; attempt++) statuses.push((await post(path, body)).statusCode)
    expect(statuses.slice(0, 20)).not.toContain(429)
    expect(statuses.slice(20)).toEqual([429, 429])
    expect(given).toHaveLength(20)
  }
})

test('nothing is slowed down where there is no rate limit', async () => {
  const { post } = setup({ rateLimit: false }, 1)
  for (let attempt = 0; attempt < 22; attempt++) expect((await post('login', ACCOUNT)).statusCode).toBe(200)
})
