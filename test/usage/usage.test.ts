import { expect, test } from 'vitest'
import { openStream } from '../chat/talk.ts'
import { runJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { setUpPaying } from './house.ts'

const USAGE = { prompt_tokens: 100, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 40 } }

describeEachDatabase('what models cost', (database) => {
  test('every call of a turn and its jobs is kept with its tokens, its price and what it was for', async () => {
    const { server, house, owner, call } = await setUpPaying(database())
    server.script({ deltas: ['Noted'], usage: USAGE })
    const { data: turn } = await call('POST', '/chat', { message: 'My sister Ada keeps bees in Tromsø' })
    await runJobs(house, owner.id)

    const { data } = await call('GET', '/usage?groupBy=purpose')
    const byPurpose = Object.fromEntries(data.items.map((item: { key: string }) => [item.key, item]))
    // The turn embeds its question, which is one token to this server, and asks the model.
    expect(byPurpose.chat).toEqual({
      key: 'chat',
      calls: 2,
      inputTokens: 101,
      cachedTokens: 40,
      outputTokens: 10,
      costUsd: expect.closeTo((60 * 10_000 + 40 * 1_000 + 10 * 100_000 + 1_000) / 1e6, 9),
      unpricedCalls: 0,
      estimatedCalls: 0
    })
    expect(Object.keys(byPurpose)).toEqual(expect.arrayContaining(['extraction', 'indexing']))
    const sum = data.items.reduce((total: number, { costUsd }: { costUsd: number }) => total + costUsd, 0)
    expect(data.totals.costUsd).toBeCloseTo(sum, 9)
    expect(data.budget).toMatchObject({ limitUsd: null, leftUsd: null, spentUsd: expect.closeTo(sum, 9) })

    const { data: byConversation } = await call('GET', '/usage?groupBy=conversation')
    // What its jobs cost is of the conversation too.
    expect(byConversation.items).toEqual([{ ...data.totals, key: turn.conversationId }])
    const { data: byModel } = await call('GET', '/usage?groupBy=model&limit=1')
    expect(byModel.items.map(({ key }: { key: string }) => key)).toEqual([
      'openai:text-embedding-3-small:512'
    ])
    const { data: next } = await call('GET', `/usage?groupBy=model&limit=1&cursor=${byModel.nextCursor}`)
    expect(next).toMatchObject({ items: [{ key: 'openai:scripted' }], nextCursor: null })
    expect(house.failures).toEqual([])
  })

  test('a call whose process died is kept by who ends its turn, estimated, and counts in the month', async () => {
    const { server, house, owner, call } = await setUpPaying(database())
    const never = Promise.withResolvers<string>()
    server.script({ deltas: ['bees '.repeat(80), never.promise] })
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hello' } })
    const { turnId, conversationId } = (await stream.until('turn')).data
    await stream.until('text-delta')
    await database().pool.query(
      `UPDATE turns SET runner_id = gen_random_uuid(), lease_until = now() - interval '1 second' WHERE id = $1`,
      [turnId]
    )
    const before = (await call('GET', '/usage')).data
    expect(await house.services.chat.interruptAbandoned(false)).toBe(1)
    const { data } = await call('GET', '/usage?groupBy=conversation')
    expect(data.totals.calls).toBe(before.totals.calls + 1)
    expect(data.totals.outputTokens).toBe(100)
    expect(data.totals.estimatedCalls).toBe(1)
    const cost = (2 * 10_000 + 100 * 100_000) / 1e6
    expect(data.budget.spentUsd - before.budget.spentUsd).toBeCloseTo(cost, 6)
    expect(data.items.map(({ key }: { key: string }) => key)).toEqual([conversationId])
    const { usage } = (await call('GET', `/turns/${turnId}`)).data
    expect(usage).toEqual({ inputTokens: 2, outputTokens: 100, cachedTokens: 0, estimated: true })
    never.resolve('')
  })

  test('a call that is stopped, cut off, or of a provider that does not count costs what its words say', async () => {
    const { server, house, owner, call } = await setUpPaying(database())
    const models = async () => {
      const { items } = (await call('GET', '/usage?groupBy=model')).data
      return items.find(({ key }: { key: string }) => key === 'openai:scripted')
    }
    const words = 'bees '.repeat(80)
    server.script({ deltas: [words], usage: null })
    const { data: uncounted } = await call('POST', '/chat', { message: 'Hello' })
    expect(uncounted.usage).toMatchObject({ outputTokens: 100, estimated: true })
    const first = await models()
    expect(first).toMatchObject({ calls: 1, outputTokens: 100 })
    expect(first.inputTokens).toBeGreaterThan(20)
    expect(first.costUsd).toBeCloseTo((first.inputTokens * 10_000 + 100 * 100_000) / 1e6, 6)

    server.script({ deltas: [words], ending: 'cut' })
    expect((await call('POST', '/chat', { message: 'Hello' })).data).toMatchObject({
      status: 'failed',
      usage: { outputTokens: 100, estimated: true }
    })
    expect(await models()).toMatchObject({ calls: 2, outputTokens: 200 })

    const asked = () => server.requests.filter(({ path }) => path === '/v1/chat/completions').length
    // Stopped in the middle, and before the first word.
    for (const reply of [{ deltas: [words], ending: 'hang' as const }, { before: 'hang' as const }]) {
      server.script(reply)
      const stream = await openStream(house, owner, '/chat', { body: { message: 'Hello' } })
      const { turnId } = (await stream.until('turn')).data
      if (reply.deltas) await stream.until('text-delta')
      else await eventually(() => expect(asked()).toBe(4))
      await call('POST', `/turns/${turnId}/stop`)
      await stream.all()
      const { usage } = (await call('GET', `/turns/${turnId}`)).data
      expect(usage).toMatchObject({ outputTokens: reply.deltas ? 100 : 0, estimated: true })
      expect(usage.inputTokens).toBeGreaterThan(20)
    }
    const last = await models()
    expect(last).toMatchObject({ calls: 4, outputTokens: 300, estimatedCalls: 4 })
    expect(last.inputTokens).toBeGreaterThan(3 * first.inputTokens)
    const { body } = await house.app.inject('/metrics')
    expect(body).toContain('pai_model_calls_estimated_total{model="openai:scripted",purpose="chat"} 4')
    expect(house.failures).toEqual([])
  })

  test('a search is paid for as one, and is another owner’s business only when it is theirs', async () => {
    const { house, owner, call } = await setUpPaying(database())
    const other = await house.register()
    await call('POST', '/recall', { query: 'bees' })
    const { data } = await call('GET', '/usage?groupBy=purpose')
    expect(data.items).toMatchObject([{ key: 'search', calls: 1, inputTokens: 1 }])
    const response = await house.app.inject({ url: '/v1/usage', headers: other.headers })
    expect(response.json()).toMatchObject({ totals: { calls: 0, costUsd: 0 }, items: [] })
    expect(owner.id).not.toBe(other.id)
  })

  test('a model without a known price is counted in tokens', async () => {
    const { call } = await setUpPaying(database(), { settings: { PAI_PRICES: '{}' }, nearby: false })
    await call('POST', '/chat', { message: 'Hello' })
    const { data } = await call('GET', '/usage?groupBy=model')
    expect(data.items).toMatchObject([
      { key: 'openai:text-embedding-3-small:512', unpricedCalls: 0, costUsd: 2e-8 },
      { key: 'openai:scripted', unpricedCalls: 1, costUsd: 0, outputTokens: 1 }
    ])
  })

  test('a model in house costs nothing, whatever its name, so that no spent budget refuses it', async () => {
    const { server, house, call } = await setUpPaying(database(), {
      settings: { PAI_PRICES: '{}', PAI_MONTHLY_BUDGET: '0' }
    })
    expect((await call('POST', '/chat', { message: 'Hello' })).data.status).toBe('completed')
    expect(server.requests.at(-1)?.path).toBe('/v1/chat/completions')
    const { data } = await call('GET', '/usage')
    expect(data.totals).toMatchObject({ calls: 2, costUsd: 0, unpricedCalls: 0 })
    expect(house.failures).toEqual([])
  })

  test('a range is of days or moments in UTC, and no longer than calls are kept', async () => {
    const now = () => new Date('2026-03-31T23:30:00Z')
    const { house, call } = await setUpPaying(database(), { now })
    await call('POST', '/recall', { query: 'bees' })
    const { data } = await call('GET', '/usage')
    expect(data).toMatchObject({
      from: '2026-03-01T00:00:00.000Z',
      to: '2026-04-01T00:00:00.000Z',
      items: [{ key: '2026-03-31', calls: 1 }],
      budget: { month: '2026-03-01', endsAt: '2026-04-01T00:00:00.000Z' }
    })
    const calls = async (range: string) => (await call('GET', `/usage?${range}`)).data.totals.calls
    expect(await calls('from=2026-03-31&to=2026-04-01')).toBe(1)
    expect(await calls('from=2026-03-31T23:30:00Z&to=2026-03-31T23:30:01Z')).toBe(1)
    expect(await calls('from=2026-03-01&to=2026-03-31')).toBe(0)
    for (const range of [
      'from=2026-04-01&to=2026-03-01',
      'from=2025-01-01&to=2026-03-01',
      'to=2026-03-01&from=2026-03-01'
    ]) {
      expect((await call('GET', `/usage?${range}`)).data.code).toBe('PAI_USAGE_RANGE_INVALID')
    }
    expect((await call('GET', '/usage?cursor=%21')).data.code).toBe('PAI_CURSOR_INVALID')
    expect((await call('GET', '/usage?limit=201')).status).toBe(400)
    expect(house.failures).toEqual([])
  })

  test('a key needs the scope of the account', async () => {
    const { house, call } = await setUpPaying(database())
    const { data: key } = await call('POST', '/api-keys', { name: 'chat', scopes: ['chat'] })
    const headers = { authorization: `Bearer ${key.key}` }
    expect((await house.app.inject({ url: '/v1/usage', headers })).json().code).toBe('PAI_AUTH_SCOPE')
  })

  test('the metrics tell tokens and cost by model and purpose, and of no owner', async () => {
    const { server, house, owner, call } = await setUpPaying(database())
    server.script({ deltas: ['Noted'], usage: USAGE })
    await call('POST', '/chat', { message: 'Hello' })
    const { body } = await house.app.inject('/metrics')
    expect(body).toContain('pai_model_tokens_total{model="openai:scripted",purpose="chat",kind="cached"} 40')
    expect(body).toContain('pai_model_tokens_total{model="openai:scripted",purpose="chat",kind="input"} 60')
    expect(body).toContain('pai_model_cost_usd_total{model="openai:scripted",purpose="chat"} 1.64')
    expect(body).toContain('pai_turn_first_token_seconds_count 1')
    expect(body).toContain('pai_recall_seconds_count 1')
    expect(body).not.toContain(owner.id)
  })
})
