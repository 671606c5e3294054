import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { gate, openStream, parseEvents, STREAM, setUp } from './talk.ts'

describeEachDatabase('continuing a turn', (database) => {
  /** A turn that was stopped in the middle, and the model's second attempt. */
  async function setUpCutOff(rest: string[] = [' and a half.']) {
    const { step } = gate()
    let times = 0
    const { house, owner, call, model } = await setUp(database(), () =>
      ++times === 1 ? ['Four', step] : rest
    )
    const stream = await openStream(house, owner, '/chat', { body: { message: 'How many?' } })
    const { turnId, conversationId, userMessageId } = (await stream.until('turn')).data
    await stream.until('text-delta')
    expect((await call('POST', `/turns/${turnId}/stop`)).status).toBe(202)
    await stream.all()
    return { house, call, model, turnId, conversationId, userMessageId }
  }

  test('the reply begins with the words so far and goes on, as a branch beside the cut-off one', async () => {
    const { call, model, turnId, conversationId, userMessageId } = await setUpCutOff()
    const events = parseEvents((await call('POST', `/turns/${turnId}/continue`, undefined, STREAM)).text)
    const words = events.filter(({ type }) => type === 'text-delta').map(({ data }) => data.text)
    expect(words.join('')).toBe('Four and a half.')
    expect(model.asked[1]?.messages.slice(0, 2)).toEqual([
      { role: 'user', content: 'How many?' },
      { role: 'assistant', content: 'Four' }
    ])
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items).toMatchObject([
      { role: 'user' },
      { content: 'Four', parentId: userMessageId },
      { content: 'Four and a half.', parentId: userMessageId }
    ])
  })

  test('a reply that was cut at a limit says so wherever it is read, and goes on', async () => {
    const usage = { inputTokens: 5, outputTokens: 2, cachedTokens: 0 }
    let times = 0
    const { call } = await setUp(database(), () =>
      ++times === 1 ? ['Four', { type: 'finish', reason: 'length', usage }] : [' and a half.']
    )
    const { data: turn } = await call('POST', '/chat', { message: 'How many?' })
    expect(turn).toMatchObject({
      status: 'completed',
      finishReason: 'length',
      message: { finishReason: 'length' }
    })
    const events = parseEvents((await call('GET', `/turns/${turn.turnId}/events`)).text)
    expect(events.at(-1)?.data).toEqual({
      status: 'completed',
      messageId: turn.message.id,
      finishReason: 'length'
    })
    const again = (await call('POST', `/turns/${turn.turnId}/continue`)).data
    expect(again).toMatchObject({ finishReason: 'stop', message: { content: 'Four and a half.' } })
    const { items } = (await call('GET', `/conversations/${turn.conversationId}/messages`)).data
    expect(items.map(({ finishReason }: { finishReason: string }) => finishReason)).toEqual([
      null,
      'length',
      'stop'
    ])
  })

  test('asked for twice with one key, it goes on once', async () => {
    const { call, model, turnId } = await setUpCutOff()
    const key = { 'idempotency-key': 'go on' }
    const [one, again] = await Promise.all([
      call('POST', `/turns/${turnId}/continue`, undefined, key),
      call('POST', `/turns/${turnId}/continue`, undefined, key)
    ])
    expect(one.data).toMatchObject({ status: 'completed', message: { content: 'Four and a half.' } })
    expect(again.data).toEqual(one.data)
    expect(model.asked).toHaveLength(2)
  })

  test('a model that has nothing to add leaves the words as they were', async () => {
    const { house, call, turnId } = await setUpCutOff([])
    const again = (await call('POST', `/turns/${turnId}/continue`)).data
    expect(again).toMatchObject({ status: 'completed', message: { content: 'Four' } })
    await eventually(() => expect(house.services.runner.active).toBe(0))
  })

  test('what has come to its end, or is nobody’s, is refused', async () => {
    const { call } = await setUp(database())
    const { turnId } = (await call('POST', '/chat', { message: 'Hi' })).data
    expect(await call('POST', `/turns/${turnId}/continue`)).toMatchObject({
      status: 409,
      data: { code: 'PAI_CHAT_TURN_NOT_CUT_OFF' }
    })
    const unknown = '01890000-0000-7000-8000-000000000000'
    expect(await call('POST', `/turns/${unknown}/continue`)).toMatchObject({ status: 404 })
  })
})
