// What the scripts have in common: who they are, how much they ask, and what is left behind: nothing.
import { fail } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { conversationOf } from './work.ts'

const number = (name, preset) => {
  const value = Number(__ENV[name] || preset)
  if (!(value > 0)) fail(`${name} is a number above 0`)
  return value
}

export const URL = (__ENV.PAI_URL || 'http://127.0.0.1:3000').replace(/\/+$/, '')
/** Calls a second once the ramp is over. */
const RATE = number('PAI_RATE', 3)
const RAMP_SECONDS = number('PAI_RAMP_SECONDS', 10)
const HOLD_SECONDS = number('PAI_HOLD_SECONDS', 30)
/** Calls that may be under way at once; one that finds no room is dropped, which a threshold forbids. */
const AT_ONCE = number('PAI_AT_ONCE', 50)
/** Thresholds in milliseconds are multiplied by this, for a server that is far away. */
const SLACK = number('PAI_SLACK', 1)
const SEEDED_MESSAGES = 100
const KEY_OUTLIVES_MS = 600_000

/** A share of the calls, begun at their own pace whether or not earlier ones have been answered. */
export function arrivals(run, share = 1) {
  // Counted by the minute, since k6 takes whole numbers only.
  const aMinute = Math.max(1, Math.round(RATE * share * 60))
  return {
    executor: 'ramping-arrival-rate',
    exec: run,
    timeUnit: '1m',
    startRate: 0,
    stages: [
      { target: aMinute, duration: `${RAMP_SECONDS}s` },
      { target: aMinute, duration: `${HOLD_SECONDS}s` }
    ],
    preAllocatedVUs: Math.ceil(AT_ONCE * share),
    gracefulStop: '60s'
  }
}

/** What every script promises, beside its own: at most one call of a hundred fails, and none is left out for want of room. */
export function thresholds(milliseconds) {
  const own = Object.entries(milliseconds).map(([metric, limits]) => [
    metric,
    Object.entries(limits).map(([quantile, limit]) => `${quantile}<${limit * SLACK}`)
  ])
  return {
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    dropped_iterations: ['count==0'],
    ...Object.fromEntries(own)
  }
}

/** Signs in, and imports something that each account can find. Ends everything at once where that fails. */
export function setup() {
  const signedIn = signIn()
  const seeded = signedIn.keys.map((key) => {
    const response = post(
      key,
      '/v1/conversations/import',
      conversationOf(SEEDED_MESSAGES),
      'setup',
      newKey('seed')
    )
    return expectStatus(201, response).json().conversationId
  })
  return { ...signedIn, seeded }
}

export function teardown({ keys, keyId, session, seeded }) {
  for (const [index, id] of seeded.entries()) remove(keys[index], `/v1/conversations/${id}`)
  if (keyId) remove(session, `/v1/api-keys/${keyId}`)
}

/** Keys as given, or one of its own for the account whose password is given: an access token would not last. */
function signIn() {
  const given = (__ENV.PAI_KEY || '').split(',').filter(Boolean)
  if (given.length > 0) {
    for (const key of given) expectStatus(200, get(key, '/v1/conversations?limit=1', 'setup'))
    return { keys: given }
  }
  const { PAI_EMAIL: email, PAI_PASSWORD: password } = __ENV
  if (!email || !password) fail('Set PAI_KEY, or PAI_EMAIL and PAI_PASSWORD')
  const session = expectStatus(200, post('', '/v1/auth/login', { email, password }, 'setup')).json()
    .accessToken
  const lastsMs = (RAMP_SECONDS + HOLD_SECONDS) * 1_000 + KEY_OUTLIVES_MS
  const expiresAt = new Date(Date.now() + lastsMs).toISOString()
  const made = expectStatus(201, post(session, '/v1/api-keys', { name: 'load', expiresAt }, 'setup')).json()
  return { keys: [made.key], keyId: made.id, session }
}

/** One of the keys, so that several accounts share the work. */
export const keyOf = ({ keys }) => keys[exec.scenario.iterationInTest % keys.length]

/** Different for each call of each run: a retry is the same call, a second run is not. */
export const newKey = (what) => `${what}-${Date.now()}-${exec.vu?.idInTest ?? 0}-${Math.random()}`

const headersOf = (token, more) => ({
  headers: { ...(token && { authorization: `Bearer ${token}` }), ...more }
})

export function get(token, path, name) {
  return http.get(URL + path, { ...headersOf(token), tags: { name } })
}

/** `accept` asks for the turn's events in place of its end. */
export function post(token, path, body, name, idempotencyKey = '', accept = '') {
  const headers = { 'content-type': 'application/json' }
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
  if (accept) headers.accept = accept
  return http.post(URL + path, JSON.stringify(body), {
    ...headersOf(token, headers),
    tags: { name },
    timeout: '120s'
  })
}

/** A form with one file. */
export function upload(token, path, file, name, idempotencyKey) {
  return http.post(
    URL + path,
    { file },
    {
      ...headersOf(token, { 'idempotency-key': idempotencyKey }),
      tags: { name }
    }
  )
}

export function remove(token, path) {
  return http.del(URL + path, null, { ...headersOf(token), tags: { name: 'remove' } })
}

function expectStatus(status, response) {
  if (response.status !== status) {
    exec.test.abort(
      `${response.request.method} ${response.url} answered ${response.status}: ${response.error || response.body}`
    )
  }
  return response
}
