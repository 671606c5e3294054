import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { buildTestApp } from '../support/app.ts'
import { openTestDatabase } from '../support/database.ts'

test('a connection is kept for longer than the load balancer keeps it', async () => {
  const { database, close } = await openTestDatabase('embedded')
  const house = await buildTestApp(database)
  onTestFinished(async () => {
    await house.close()
    await close()
  })
  const path = ['..', '..', 'infra', 'modules', 'edge', 'load-balancer.tf']
  const terraform = readFileSync(join(import.meta.dirname, ...path), 'utf8')
  const idleSeconds = Number(/^\s*idle_timeout\s*=\s*(\d+)$/m.exec(terraform)?.[1])
  expect(idleSeconds).toBeGreaterThan(0)
  expect(house.app.server.keepAliveTimeout).toBeGreaterThanOrEqual((idleSeconds + 5) * 1_000)
})

// Then none of the two need be as long as a connection is kept. It was otherwise in older versions.
test('Node counts the time for a request’s headers, and for all of it, from its first byte', async () => {
  const checks = { connectionsCheckingInterval: 5 }
  const server = createServer(
    { ...checks, headersTimeout: 20, requestTimeout: 30, keepAliveTimeout: 60_000 },
    (_request, response) => response.end('ok')
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => {
    agent.destroy()
    server.close()
  })
  async function ask(): Promise<boolean> {
    const request = get({ port: (server.address() as AddressInfo).port, agent })
    const [response] = await once(request, 'response')
    response.resume()
    await once(response, 'end')
    return request.reusedSocket
  }
  expect(await ask()).toBe(false)
  const idleSince = performance.now()
  await vi.waitFor(() => expect(performance.now() - idleSince).toBeGreaterThan(200))
  expect(await ask()).toBe(true)
})
