import { expect, test } from 'vitest'
import { ModelGone, ModelUnknown } from '../../src/llm/errors.ts'
import { scriptedModel } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { parseEvents, STREAM, setUp } from './talk.ts'

describeEachDatabase('the model of a turn', (database) => {
  /** A deployment with a model of its own and another one. */
  async function setUpTwo() {
    const other = { ...scriptedModel(['From the other']), id: 'other:model' }
    const own = { id: 'scripted:model' }
    const models = new Set(['other', other.id, own.id])
    const chatModel = (name: string) => {
      if (!models.has(name)) throw new ModelUnknown(name)
      return name === own.id ? house.model : other
    }
    let isRefused = false
    const inPlaceOf = (gone: string) => {
      if (isRefused) throw new ModelGone(gone, own.id, own.id)
      return house.model
    }
    const house = await setUp(database(), ['From its own'], { llm: { chatModel, inPlaceOf } })
    const takeAway = () => {
      models.delete('other')
      models.delete('other:model')
    }
    const refuseInPlace = () => {
      isRefused = true
    }
    return { ...house, takeAway, refuseInPlace }
  }
  const said = (answer: { data: { model: string; message: { content: string; model: string } } }) => [
    answer.data.message.content,
    answer.data.message.model
  ]

  test('is the deployment’s, unless the message names another, by its id or its alias', async () => {
    const { call } = await setUpTwo()
    expect(said(await call('POST', '/chat', { message: 'Hi' }))).toEqual(['From its own', 'scripted:model'])
    for (const model of ['other:model', 'other']) {
      expect(said(await call('POST', '/chat', { message: 'Hi', model }))).toEqual([
        'From the other',
        'other:model'
      ])
    }
  })

  test('is the conversation’s where it has one, until that is taken back', async () => {
    const { call } = await setUpTwo()
    const { id } = (await call('POST', '/conversations', { model: 'other' })).data
    const ask = (more = {}) => call('POST', '/chat', { conversationId: id, message: 'Hi', ...more })
    expect(said(await ask())).toEqual(['From the other', 'other:model'])
    expect(said(await ask({ model: 'scripted:model' }))).toEqual(['From its own', 'scripted:model'])
    const { data } = await call('PATCH', `/conversations/${id}`, { model: null })
    expect(data.model).toBeNull()
    expect(said(await ask())).toEqual(['From its own', 'scripted:model'])
  })

  test('asked again, a message is answered by the model it was asked of', async () => {
    const { call } = await setUpTwo()
    const { message } = (await call('POST', '/chat', { message: 'Hi', model: 'other' })).data
    expect(said(await call('POST', `/messages/${message.id}/regenerate`))).toEqual([
      'From the other',
      'other:model'
    ])
  })

  test('that has left the list is answered for by the deployment’s own, which says so', async () => {
    const { call, takeAway } = await setUpTwo()
    const { id } = (await call('POST', '/conversations', { model: 'other' })).data
    const ask = (headers = {}) => call('POST', '/chat', { conversationId: id, message: 'Hi' }, headers)
    const { message } = (await ask()).data
    await call('POST', '/chat', { message: 'Hi', model: 'other' })
    takeAway()
    expect(said(await ask())).toEqual(['From its own', 'scripted:model'])
    const notice = {
      code: 'PAI_MODEL_GONE',
      message: 'The model other:model is here no more: scripted:model answers'
    }
    expect(parseEvents((await ask(STREAM)).text)[1]).toEqual({ id: 2, type: 'notice', data: notice })
    const again = await call('POST', `/messages/${message.id}/regenerate`)
    expect(said(again)).toEqual(['From its own', 'scripted:model'])
    expect((await call('GET', `/turns/${again.data.turnId}`)).data.model).toBe('scripted:model')
  })

  test('that has left, where another may not answer in its place, is refused until one is chosen, and nothing is stored', async () => {
    const { call, takeAway, refuseInPlace, model } = await setUpTwo()
    const { id } = (await call('POST', '/conversations', { model: 'other' })).data
    const ask = (more = {}) => call('POST', '/chat', { conversationId: id, message: 'Hi', ...more })
    const { message } = (await ask()).data
    takeAway()
    refuseInPlace()
    for (const refused of [await ask(), await call('POST', `/messages/${message.id}/regenerate`)]) {
      expect(refused).toMatchObject({ status: 409, data: { code: 'PAI_MODEL_GONE' } })
      expect(refused.data.detail).toMatch(
        /^The model other:model is here no more.* There are: scripted:model$/
      )
    }
    expect((await call('GET', `/conversations/${id}/messages`)).data.items).toHaveLength(2)
    expect(model.asked).toEqual([])
    expect(said(await ask({ model: 'scripted:model' }))).toEqual(['From its own', 'scripted:model'])
    await call('PATCH', `/conversations/${id}`, { model: null })
    expect(said(await ask())).toEqual(['From its own', 'scripted:model'])
  })

  test('that a message was asked of, and has left, is followed by the conversation’s', async () => {
    const { call, takeAway, refuseInPlace } = await setUpTwo()
    const { message, conversationId } = (await call('POST', '/chat', { message: 'Hi', model: 'other' })).data
    await call('PATCH', `/conversations/${conversationId}`, { model: 'other' })
    takeAway()
    refuseInPlace()
    const again = () => call('POST', `/messages/${message.id}/regenerate`)
    expect((await again()).data.code).toBe('PAI_MODEL_GONE')
    await call('PATCH', `/conversations/${conversationId}`, { model: 'scripted:model' })
    expect(said(await again())).toEqual(['From its own', 'scripted:model'])
    await call('PATCH', `/conversations/${conversationId}`, { model: null })
    expect(said(await again())).toEqual(['From its own', 'scripted:model'])
  })

  test('that has left where there is only quoting begins nothing with its words', async () => {
    const gone = { ...scriptedModel(['Half a', new Error('away')]), id: 'other:model' }
    const offline = { ...scriptedModel(['A quote']), id: 'offline' }
    const models = new Map([[gone.id, gone]])
    const chatModel = (name: string) => {
      const found = models.get(name)
      if (!found) throw new ModelUnknown(name)
      return found
    }
    const { call } = await setUp(database(), [], {
      llm: { chat: offline, chatModel, inPlaceOf: () => offline }
    })
    const { data } = await call('POST', '/chat', { message: 'Hi', model: gone.id })
    expect(data).toMatchObject({ status: 'failed', message: { content: 'Half a' } })
    models.clear()
    expect(said(await call('POST', `/turns/${data.turnId}/continue`))).toEqual(['A quote', 'offline'])
  })

  test('that is none is refused, and nothing is stored', async () => {
    const { call } = await setUpTwo()
    for (const answer of [
      await call('POST', '/chat', { message: 'Hi', model: 'nobody' }),
      await call('POST', '/conversations', { model: 'nobody' })
    ]) {
      expect(answer).toMatchObject({ status: 400, data: { code: 'PAI_MODEL_UNKNOWN' } })
    }
    expect((await call('GET', '/conversations')).data.items).toEqual([])
  })
})
