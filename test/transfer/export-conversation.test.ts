import { expect, test } from 'vitest'
import { GIF, PNG } from '../chat/images.ts'
import { type Call, callAs, setUp } from '../chat/talk.ts'
import { scriptedModel } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'

describeEachDatabase('one conversation', (database) => {
  /** A conversation with an edited first message, a second reply, and an image. */
  async function branched() {
    const abilities = { images: true, tools: false, structured: false }
    const chat = { ...scriptedModel(({ messages }) => [`to ${messages.at(-1)?.content}`]), abilities }
    const set = await setUp(database(), [], { llm: { chat } })
    const { call } = set
    const image = { data: PNG.toString('base64'), name: 'bees.png' }
    const { id } = (await call('POST', '/attachments', image)).data
    const first = (await call('POST', '/chat', { message: 'My bees', attachmentIds: [id] })).data
    const { conversationId } = first
    await call('POST', `/messages/${first.message.id}/regenerate`)
    await call('POST', '/chat', { message: 'My hens', conversationId, parentId: null, attachmentIds: [id] })
    await call('POST', '/chat', { message: 'And more', conversationId, parentId: first.message.id })
    const path = `/conversations/${conversationId}`
    await call('PATCH', path, { title: 'Bees & hens: naïve?', archived: true })
    return { ...set, conversationId, path }
  }

  async function brought(call: Call, conversationId: string) {
    const { data } = await call('GET', `/conversations/${conversationId}/messages`)
    const { data: head } = await call('GET', `/conversations/${conversationId}`)
    // How a reply came about stays where it was written.
    const none = { turnId: null, finishReason: null, turnStatus: null, turnError: null }
    const messages = data.items.map((message: object) => ({ ...message, ...none }))
    return { ...head, messages }
  }

  test('is exported with its branches and images, and imported elsewhere as it was, once', async () => {
    const { house, call, conversationId, path } = await branched()
    const file = await call('GET', `${path}/export`)
    expect(file).toMatchObject({ status: 200, type: 'application/json; charset=utf-8' })
    expect(file.data).toMatchObject({ format: 'pai-conversation', version: 1 })
    const stranger = callAs(house, await house.register())
    const report = (await stranger('POST', '/import', file.data)).data
    expect(report).toMatchObject({ source: 'pai', conversations: 1, messages: 7, memories: 0 })
    expect(await brought(stranger, conversationId)).toEqual(await brought(call, conversationId))
    const again = (await stranger('POST', '/import?extract=true', file.data)).data
    expect(again).toMatchObject({ conversations: 0, messages: 0 })
    const twice = (await stranger('GET', `${path}/export`)).data
    expect({ ...twice, exportedAt: '' }).toEqual({ ...file.data, exportedAt: '' })
  })

  test('is in the export of everything with its images too', async () => {
    const { house, call, conversationId } = await branched()
    const everything = (await call('GET', '/export')).data
    const stranger = callAs(house, await house.register())
    await stranger('POST', '/import', everything)
    expect(await brought(stranger, conversationId)).toEqual(await brought(call, conversationId))
    expect((await call('GET', '/export?format=markdown')).text).toContain('[image: bees.png]')
  })

  test('as Markdown says where a branch begins', async () => {
    const { call, path } = await branched()
    const { type, text } = await call('GET', `${path}/export?format=markdown`)
    expect(type).toBe('text/markdown; charset=utf-8')
    const lines = text.replace(/ \(\d{4}-\d\d-\d\d \d\d:\d\d\):/g, ':').split(/\n+/)
    expect(lines).toEqual([
      '# Bees & hens: naïve?',
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      ...['**Ada**:', 'My bees', '[image: bees.png]', '**PAI**:', 'to My bees'],
      ...['*In answer to “My bees”:*', '**PAI**:', 'to My bees'],
      ...['*Begun anew:*', '**Ada**:', 'My hens', '[image: bees.png]', '**PAI**:', 'to My hens'],
      ...['*In answer to “to My bees”:*', '**Ada**:', 'And more', '**PAI**:', 'to And more'],
      ''
    ])
  })

  test.each([
    ['Bees & hens: naïve?', 'Bees-hens-na%C3%AFve-'],
    ['../../etc/passwd', 'etc-passwd-'],
    ['"\r\nSet-Cookie: a', 'Set-Cookie-a-'],
    ['…', 'conversation-']
  ])('is called by its title as far as every system takes it: %j', async (title, name) => {
    const { house, owner, call } = await setUp(database())
    const { id } = (await call('POST', '/conversations', { title })).data
    const url = `/v1/conversations/${id}/export?format=markdown`
    const { headers } = await house.app.inject({ url, headers: owner.headers })
    expect(headers['content-disposition']).toMatch(
      /^attachment; filename\*=UTF-8''[\w%-]+\d{4}-\d\d-\d\d\.md$/
    )
    expect(headers['content-disposition']).toContain(`''${name}`)
  })

  test('is exported to nobody else, nor where there is none, nor in another format', async () => {
    const { house, call, path } = await branched()
    const stranger = callAs(house, await house.register())
    for (const answer of [
      await stranger('GET', `${path}/export`),
      await call('GET', `/conversations/${NOBODY}/export`)
    ]) {
      expect([answer.status, answer.data.code]).toEqual([404, 'PAI_CHAT_CONVERSATION_NOT_FOUND'])
    }
    expect((await call('GET', `${path}/export?format=pdf`)).status).toBe(400)
  })

  test.each([
    ['a moment that is none', { createdAt: 'yesterday' }],
    [
      'an image that is none',
      { attachments: [{ id: NOBODY, mediaType: 'image/png', name: null, data: '<>' }] }
    ],
    [
      'a page for an image',
      { attachments: [{ id: NOBODY, mediaType: 'text/html', name: null, data: GIF.toString('base64') }] }
    ]
  ])('with %s is not imported', async (_name, change) => {
    const { call, path } = await branched()
    const { data: file } = await call('GET', `${path}/export`)
    Object.assign(file.conversation.messages[0], change)
    const { status, data } = await call('POST', '/import', file)
    expect([status, data.code]).toEqual([400, 'PAI_TRANSFER_FILE_INVALID'])
  })
})
