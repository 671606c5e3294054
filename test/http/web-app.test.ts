import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { errorHandler } from '../../src/http/error-handler.ts'
import { webApp } from '../../src/http/web-app.ts'

const PAGE = '<!doctype html><script type="module" src="/assets/main-1234.js"></script>'
const HTML = { accept: 'text/html,application/xhtml+xml' }
let folder = ''
let app: FastifyInstance

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pai-web-'))
  mkdirSync(join(folder, 'dist', 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'not for the web')
  writeFileSync(join(folder, 'dist', 'index.html'), PAGE)
  writeFileSync(join(folder, 'dist', 'favicon.svg'), '<svg/>')
  writeFileSync(join(folder, 'dist', 'assets', 'main-1234.js'), 'let it = be')
  app = await serve(join(folder, 'dist'))
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

/** A service with one route of its own and the web app of a folder. */
async function serve(root: string): Promise<FastifyInstance> {
  const service = Fastify()
  service.setErrorHandler(errorHandler)
  service.get('/v1/me', async () => ({ name: 'Ada' }))
  await service.register(webApp, { root })
  return service
}

test('the page is served at the root and at every address that is one of its pages', async () => {
  for (const url of [
    '/',
    '/index.html',
    '/chat/019a0000-0000-7000-8000-000000000001',
    '/memories?query=bees',
    '/v10'
  ]) {
    const response = await app.inject({ url, headers: HTML })
    expect(response.statusCode, url).toBe(200)
    expect(response.body, url).toBe(PAGE)
    expect(response.headers['content-type']).toMatch(/^text\/html; charset=utf-8$/)
  }
})

test('nothing is loaded from elsewhere, nothing inline runs, and nobody frames the page', async () => {
  for (const url of ['/', '/chat/1', '/favicon.svg', '/assets/main-1234.js']) {
    const { headers } = await app.inject({ url, headers: HTML })
    expect(headers['x-frame-options'], url).toBe('DENY')
    expect(headers['cross-origin-opener-policy']).toBe('same-origin')
    const policy = String(headers['content-security-policy'])
    const directives = new Map(
      policy.split('; ').map((directive) => directive.split(/ (.*)/s) as [string, string])
    )
    expect(directives.get('default-src')).toBe("'none'")
    for (const name of ['script-src', 'style-src', 'connect-src'])
      expect(directives.get(name), name).toBe("'self'")
    for (const name of ['frame-ancestors', 'base-uri']) expect(directives.get(name), name).toBe("'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
  }
})

test('a file that has its hash in its name is kept for ever, and the page that names it never', async () => {
  const asset = await app.inject('/assets/main-1234.js')
  expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(asset.headers['content-type']).toMatch(/javascript/)
  for (const url of ['/', '/chat/1', '/favicon.svg']) {
    expect((await app.inject({ url, headers: HTML })).headers['cache-control'], url).toBe('no-cache')
  }
})

test('an address of the API is never answered with the page, whoever asks', async () => {
  const paths = [
    '/v1',
    '/v1/nothing',
    '/v1/memories/1',
    '/openai/v1/models',
    '/mcp',
    '/docs/nothing',
    '/healthz/x'
  ]
  for (const url of [...paths, '/metrics', '/readyz', '/openapi.json', '/assets/gone-5678.js', '/v1?a=/']) {
    const response = await app.inject({ url, headers: HTML })
    expect(response.json(), url).toMatchObject({ status: 404, code: 'PAI_ROUTE_NOT_FOUND' })
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
  }
  expect((await app.inject({ url: '/v1/me', headers: HTML })).json()).toEqual({ name: 'Ada' })
})

test('a program that asks for a page gets a problem it can read', async () => {
  for (const accept of ['application/json', '*/*', 'text/event-stream']) {
    expect((await app.inject({ url: '/chat/1', headers: { accept } })).json()).toMatchObject({ status: 404 })
  }
  for (const method of ['POST', 'PUT', 'DELETE'] as const) {
    expect((await app.inject({ method, url: '/chat/1', headers: HTML })).json()).toMatchObject({
      status: 404
    })
  }
})

test('no path leads out of the folder', async () => {
  for (const url of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..\\secret.txt'
  ]) {
    const response = await app.inject(url)
    expect(response.statusCode, url).toBeGreaterThanOrEqual(400)
    expect(response.body).not.toContain('not for the web')
  }
})

test('where the web app is not built, every other address is a problem', async () => {
  const service = await serve(join(folder, 'assets'))
  onTestFinished(() => service.close())
  for (const url of ['/', '/chat/1']) {
    expect((await service.inject({ url, headers: HTML })).json()).toMatchObject({
      code: 'PAI_ROUTE_NOT_FOUND'
    })
  }
})
