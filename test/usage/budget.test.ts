import { expect, test } from 'vitest'
import { runJob, runJobs, takeJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { setUpPaying } from './house.ts'

const ONE_DOLLAR = { prompt_tokens: 100, completion_tokens: 0 }
const SPENT = 'PAI_USAGE_BUDGET_SPENT'

describeEachDatabase('a monthly budget', (database) => {
  test('that is spent ends the turn before the call; the message is kept, and more budget lets it go on', async () => {
    const { server, call } = await setUpPaying(database(), { settings: { PAI_MONTHLY_BUDGET: '1' } })
    server.script({ deltas: ['Noted'], usage: ONE_DOLLAR })
    const { data: first } = await call('POST', '/chat', { message: 'My sister Ada keeps bees' })
    expect(first).toMatchObject({ status: 'completed', error: null })

    const asked = server.requests.length
    const conversationId = first.conversationId
    const { status, data: second } = await call('POST', '/chat', { message: 'Where?', conversationId })
    expect(status).toBe(200)
    expect(second).toMatchObject({ status: 'failed', error: { code: SPENT, retryable: false } })
    expect(second.error.message).toMatch(/begins on \d{4}-\d\d-01 \(UTC\)/)
    expect(server.requests).toHaveLength(asked)
    const { data: messages } = await call('GET', `/conversations/${conversationId}/messages`)
    expect(messages.items.map(({ content }: { content: string }) => content)).toContain('Where?')

    const { data: usage } = await call('GET', '/usage')
    expect(usage.budget).toMatchObject({ limitUsd: 1, leftUsd: 0, deploymentLimitUsd: 1 })
    // The account's own limit cannot be higher than the deployment's.
    await call('PATCH', '/me', { monthlyBudget: 50 })
    const { data: third } = await call('POST', '/chat', { message: 'Still?', conversationId })
    expect(third.error.code).toBe(SPENT)
  })

  test('holds for calls that nobody counted', async () => {
    const { server, call } = await setUpPaying(database(), { settings: { PAI_MONTHLY_BUDGET: '5' } })
    server.script({ deltas: ['bees '.repeat(80)], ending: 'cut' })
    await call('POST', '/chat', { message: 'Hello' })
    const { data } = await call('POST', '/chat', { message: 'Hello again' })
    expect(data).toMatchObject({ status: 'failed', error: { code: SPENT } })
  })

  test('of the account’s own counts from the next call on, and can be raised and lifted', async () => {
    const { server, call } = await setUpPaying(database())
    expect((await call('PATCH', '/me', { monthlyBudget: 0.5 })).data.monthlyBudget).toBe(0.5)
    server.script({ deltas: ['Noted'], usage: ONE_DOLLAR })
    const ask = async () => (await call('POST', '/chat', { message: 'Hello' })).data.error?.code ?? null
    expect(await ask()).toBeNull()
    expect(await ask()).toBe(SPENT)
    await call('PATCH', '/me', { monthlyBudget: 20 })
    expect(await ask()).toBeNull()
    expect((await call('GET', '/usage')).data.budget).toMatchObject({ limitUsd: 20 })
    await call('PATCH', '/me', { monthlyBudget: null })
    expect((await call('GET', '/me')).data.monthlyBudget).toBeNull()
    expect((await call('GET', '/usage')).data.budget).toMatchObject({ limitUsd: null, leftUsd: null })
    expect((await call('PATCH', '/me', { monthlyBudget: -1 })).status).toBe(400)
  })

  test('that is spent leaves recall to the words, which cost nothing', async () => {
    // By a clock that stands still, what is remembered is never out of date by itself.
    const at = new Date()
    const { server, house, owner, call } = await setUpPaying(database(), { now: () => at })
    await call('POST', '/memories', { text: 'Ada keeps bees in Tromsø' })
    await runJobs(house, owner.id)
    const recall = async () => (await call('POST', '/recall', { query: 'Who keeps bees?' })).data.items
    expect((await recall())[0].matchedBy).toContain('vector')
    await house.services.usage.flush()
    await call('PATCH', '/me', { monthlyBudget: 0 })
    // The change is told to every process, this one too.
    await eventually(async () => expect(await house.services.usage.hasBudget(owner.id)).toBe(false))
    const asked = server.requests.length
    const [found] = await recall()
    expect(found.text).toBe('Ada keeps bees in Tromsø')
    expect(found.matchedBy).not.toContain('vector')
    expect(server.requests).toHaveLength(asked)
  })

  test('that is spent puts background work off: it waits in the queue, neither done nor failed', async () => {
    const { server, house, owner, call } = await setUpPaying(database())
    await call('POST', '/chat', { message: 'My sister Ada keeps bees in Tromsø' })
    await call('PATCH', '/me', { monthlyBudget: 0 })
    await eventually(async () => expect(await house.services.usage.hasBudget(owner.id)).toBe(false))
    const asked = server.requests.length
    const jobs = await takeJobs(database(), owner.id)
    const extraction = jobs.find(({ name }) => name === 'memory.extract')
    if (!extraction) throw new Error('There is no extraction to run')
    await runJob(house, extraction)
    expect(server.requests).toHaveLength(asked)
    const waiting = () =>
      database().pool.query(
        `SELECT name, data, start_after > now() + interval '5 minutes' AS later FROM pgboss.job
          WHERE data ->> 'ownerId' = $1 AND state = 'created'`,
        [owner.id]
      )
    expect((await waiting()).rows).toEqual([{ ...extraction, later: true }])
    expect((await call('GET', '/memory-extractions')).data.items).toEqual([])

    await call('PATCH', '/me', { monthlyBudget: null })
    await runJobs(house, owner.id)
    expect(server.requests.length).toBeGreaterThan(asked)
    expect((await call('GET', '/memory-extractions')).data.items).toEqual([])
    expect((await waiting()).rows).toEqual([])
  })

  test('that is spent makes the night’s tidying wait, however often it looks, and leaves nothing out', async () => {
    const { house, owner, call } = await setUpPaying(database())
    const messages = Array.from({ length: 120 }, (_, day) => ({
      role: 'user',
      content: `On day ${day} Ada looked after hive number ${day} in Tromsø.`,
      createdAt: new Date(Date.UTC(2026, 0, 1, day)).toISOString()
    }))
    await call('POST', '/conversations/import', { messages })
    await runJobs(house, owner.id)
    await call('PATCH', '/me', { monthlyBudget: 0 })
    await eventually(async () => expect(await house.services.usage.hasBudget(owner.id)).toBe(false))
    const { data: begun } = await call('POST', '/consolidations')
    const run = async () => (await call('GET', `/consolidations/${begun.id}`)).data
    for (let night = 0; night < 7; night++) {
      const [job, ...others] = await takeJobs(database(), owner.id)
      if (!job) throw new Error('Nothing waits')
      expect(others).toEqual([])
      await runJob(house, job)
    }
    expect((await run()).status).toBe('running')
    await call('PATCH', '/me', { monthlyBudget: null })
    await runJobs(house, owner.id)
    const { status, report } = await run()
    expect(status).toBe('completed')
    expect(report.steps.filter(({ action }: { action: string }) => action === 'skipped')).toEqual([])
  })

  test('that is spent keeps the sweep from asking again for what waits in the queue', async () => {
    const { house, owner, call } = await setUpPaying(database())
    await call('POST', '/memories', { text: 'Ada keeps bees in Tromsø' })
    await takeJobs(database(), owner.id)
    await database().pool.query(
      `UPDATE memories SET updated_at = now() - interval '3 hours' WHERE owner_id = $1`,
      [owner.id]
    )
    const sweep = async () => {
      await house.services.jobs['memory.sweep-unfinished']({}, new AbortController().signal)
      return (await takeJobs(database(), owner.id)).map(({ name }) => name)
    }
    expect(await sweep()).toEqual(['memory.index'])
    await call('PATCH', '/me', { monthlyBudget: 0 })
    await eventually(async () => expect(await house.services.usage.hasBudget(owner.id)).toBe(false))
    expect(await sweep()).toEqual([])
  })

  test('stops no model of this machine', async () => {
    const { call } = await setUpPaying(database(), {
      llm: { chatModel: 'offline', embeddingModel: 'offline', models: ['scripted'] },
      settings: { PAI_MONTHLY_BUDGET: '0' }
    })
    expect((await call('POST', '/chat', { message: 'Hello' })).data).toMatchObject({ status: 'completed' })
    const { data } = await call('POST', '/chat', { message: 'Hello', model: 'openai:scripted' })
    expect(data.error.code).toBe(SPENT)
  })
})
