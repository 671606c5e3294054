import { describe, expect, test } from 'vitest'
import { createPaiClient, NETWORK_ERROR_CODE, PaiError, unwrap } from '../src/index.ts'

describe('a call that fails', () => {
  test('throws what PAI said, to branch on and to show', async () => {
    const errors = [{ path: 'body.message', message: 'must not be empty' }]
    const problem = {
      code: 'PAI_VALIDATION',
      status: 400,
      detail: 'Not as documented',
      errors,
      requestId: 'r1'
    }
    const error = await failureOf(Response.json(problem, { status: 400 }))
    expect(error).toMatchObject({ ...problem, isNetwork: false, retryAfterSeconds: undefined })
    expect(error.message).toBe('PAI_VALIDATION: Not as documented')
  })

  test('says when to come again', async () => {
    const headers = { 'retry-after': '7', 'x-request-id': 'r2' }
    const error = await failureOf(Response.json({ code: 'PAI_RATE_LIMITED' }, { status: 429, headers }))
    expect(error).toMatchObject({ code: 'PAI_RATE_LIMITED', retryAfterSeconds: 7, requestId: 'r2' })
  })

  test.each([
    ['a page of a proxy', new Response('<h1>Bad gateway</h1>', { status: 502 })],
    ['nothing', new Response(null, { status: 502 })],
    ['a list', Response.json(['no'], { status: 502 })],
    ['null', Response.json(null, { status: 502 })],
    [
      'fields of other types',
      Response.json({ code: 7, detail: {}, errors: 'no', requestId: 1 }, { status: 502 })
    ],
    ['empty fields', Response.json({ code: '', detail: '' }, { status: 502 })]
  ])('is an error of the same kind where the answer is %s', async (_, response) => {
    const error = await failureOf(response)
    expect(error).toMatchObject({
      code: 'PAI_CLIENT_UNEXPECTED_ANSWER',
      status: 502,
      detail: 'The server answered 502',
      errors: [],
      requestId: undefined
    })
  })

  test('is told apart where PAI was not reached, with the cause', async () => {
    const cause = new TypeError('fetch failed')
    const client = createPaiClient({ baseUrl: 'http://pai', fetch: () => Promise.reject(cause) })
    const error = await unwrap(client.GET('/v1/me')).catch((error) => error)
    expect(error).toBeInstanceOf(PaiError)
    expect(error).toMatchObject({ code: NETWORK_ERROR_CODE, status: 0, isNetwork: true, cause })
  })

  test('is the caller’s own where the caller has aborted it', async () => {
    const client = createPaiClient({ baseUrl: 'http://pai', fetch: (request) => fetch(request) })
    const signal = AbortSignal.abort()
    await expect(unwrap(client.GET('/v1/me', { signal }))).rejects.toHaveProperty('name', 'AbortError')
  })
})

test('a call that succeeds answers its data', async () => {
  const client = createPaiClient({ baseUrl: 'http://pai', fetch: async () => Response.json({ id: 'me' }) })
  expect(await unwrap(client.GET('/v1/me'))).toEqual({ id: 'me' })
})

async function failureOf(response: Response): Promise<PaiError> {
  const client = createPaiClient({ baseUrl: 'http://pai', fetch: async () => response })
  const error = await unwrap(client.GET('/v1/me')).then(
    () => null,
    (error: unknown) => error
  )
  expect(error).toBeInstanceOf(PaiError)
  return error as PaiError
}
