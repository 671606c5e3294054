import { v7 as uuidv7 } from 'uuid'
import { expect, test } from 'vitest'
import type { Embedder } from '../../src/llm/model.ts'
import { createOfflineEmbedder } from '../../src/llm/offline-embedder.ts'
import { buildTestApp, scriptedModel } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callAs, gate, openStream, setUp } from './talk.ts'

describeEachDatabase('stopping a turn', (database) => {
  test('keeps the words so far and ends it as stopped, at once', async () => {
    const { step } = gate()
    const { house, owner, call } = await setUp(database(), ['Hello', step, ' Ada'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    await stream.until('text-delta')
    const asked = performance.now()
    const { status, data: stopped } = await call('POST', `/turns/${data.turnId}/stop`)
    expect([status, stopped]).toEqual([202, { turnId: data.turnId }])
    const events = await stream.all()
    // Long before the runner’s next heartbeat, which would tell it too.
    expect(performance.now() - asked).toBeLessThan(4_000)
    expect(events.map(({ type }) => type)).toEqual(['turn', 'text-delta', 'usage', 'done'])
    const turn = (await call('GET', `/turns/${data.turnId}`)).data
    expect(turn).toMatchObject({ status: 'stopped', message: { content: 'Hello' }, error: null })
    expect(events.at(-1)?.data).toEqual({ status: 'stopped', messageId: turn.message.id })
  })

  test('before the first word leaves no reply, and the conversation goes on', async () => {
    const first = gate()
    const steps = [first.step]
    const { house, owner, call, model } = await setUp(database(), () => [steps.shift() ?? 'Hello'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    // Stopped sooner, it would leave the gate for the next turn to wait at.
    await eventually(() => expect(model.asked).toHaveLength(1))
    await call('POST', `/turns/${data.turnId}/stop`)
    expect((await stream.all()).at(-1)?.data).toEqual({ status: 'stopped', messageId: null })
    const { conversationId } = data
    const next = await call('POST', '/chat', { conversationId, message: 'Still there?' })
    expect(next.data).toMatchObject({ status: 'completed', message: { content: 'Hello' } })
  })

  test('leaves the embedder that it waits for, as does a message that is refused or was sent before', async () => {
    const asked: AbortSignal[] = []
    const embedder: Embedder = {
      ...createOfflineEmbedder(),
      embed: (_texts, signal) =>
        new Promise((_, reject) => {
          asked.push(signal)
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
    }
    const { house, owner, call } = await setUp(database(), ['Hello'], { llm: { embedder } })
    // Given up before it has begun, it does not ask at all. Its own limit of time would end it as a TimeoutError.
    const leftAll = () =>
      eventually(() => expect(asked.filter(({ reason }) => reason?.name !== 'AbortError')).toEqual([]))
    const said = { body: { message: 'Hi' }, headers: { 'idempotency-key': 'one' } }
    const stream = await openStream(house, owner, '/chat', said)
    const { data } = await stream.until('turn')
    await eventually(() => expect(asked).toHaveLength(1))
    await call('POST', `/turns/${data.turnId}/stop`)
    expect((await stream.all()).at(-1)?.data).toEqual({ status: 'stopped', messageId: null })
    await leftAll()
    await call('POST', '/chat', said.body, said.headers)
    await leftAll()
    expect((await call('POST', '/chat', { ...said.body, conversationId: uuidv7() })).status).toBe(404)
    await leftAll()
  })

  test('that has ended changes nothing', async () => {
    const { call } = await setUp(database())
    const ended = (await call('POST', '/chat', { message: 'Hi' })).data
    expect((await call('POST', `/turns/${ended.turnId}/stop`)).status).toBe(202)
    expect((await call('GET', `/turns/${ended.turnId}`)).data).toEqual(ended)
  })

  test('reaches the node that runs it', async () => {
    const { step } = gate()
    const { house, owner } = await setUp(database(), ['Hello', step])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    await stream.until('text-delta')
    const node = await buildTestApp(database(), { llm: { chat: scriptedModel([]) } })
    const onNode = callAs(node, owner)
    await onNode('POST', `/turns/${data.turnId}/stop`)
    expect((await stream.all()).at(-1)).toMatchObject({ type: 'done', data: { status: 'stopped' } })
    expect((await onNode('GET', `/turns/${data.turnId}`)).data.message.content).toBe('Hello')
    await node.close()
  })

  test('is not what leaving does: the turn goes on without a reader', async () => {
    const { step, open } = gate()
    const { house, owner, call } = await setUp(database(), ['Hello', step, ' Ada'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    await stream.until('text-delta')
    const sockets = () =>
      new Promise((resolve) => house.app.server.getConnections((_, count) => resolve(count)))
    await stream.leave()
    await eventually(async () => expect(await sockets()).toBe(0))
    expect((await call('GET', `/turns/${data.turnId}`)).data.status).toBe('running')
    open()
    await eventually(async () =>
      expect((await call('GET', `/turns/${data.turnId}`)).data).toMatchObject({
        status: 'completed',
        message: { content: 'Hello Ada' }
      })
    )
  })
})
