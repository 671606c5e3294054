import { describe, expect, onTestFinished, test } from 'vitest'
import { buildTestApp, scriptedModel } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { GIF, JPEG, PNG, WEBP } from './images.ts'
import { callAs, setUp, shareHouse } from './talk.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'
const MEGABYTE = 1_048_576
const SEES = { images: true, tools: false, structured: false }

describeEachDatabase('an image', (database) => {
  const refused = shareHouse(database)

  /** A house whose model sees, and which says what it was shown. */
  async function seeing() {
    const model = { ...scriptedModel(['I see.']), abilities: SEES }
    const set = await setUp(database(), [], { llm: { chat: model } })
    const keep = async (content = PNG, name = 'bees.png'): Promise<string> => {
      const body = { mediaType: 'image/png', data: content.toString('base64'), name }
      return (await set.call('POST', '/attachments', body)).data.id
    }
    const say = async (message: string, more = {}) =>
      (await set.call('POST', '/chat', { message, ...more })).data
    const shown = () =>
      model.asked
        .at(-1)
        ?.messages.map((said) =>
          said.role === 'user' ? (said.images ?? []).map(({ data }) => Buffer.from(data)) : []
        )
    const tree = async (id: string) => (await set.call('GET', `/conversations/${id}/messages`)).data.items
    const path = async (id: string) =>
      set.house.app.inject({ url: `/v1/attachments/${id}`, headers: set.owner.headers })
    return { ...set, model, keep, say, shown, tree, read: path }
  }

  test.each([
    ['image/png', PNG],
    ['image/gif', GIF],
    ['image/jpeg', JPEG],
    ['image/webp', WEBP]
  ])('is kept as JSON and as a form alike, and given back as it came: %s', async (mediaType, content) => {
    const { house, owner, call, read } = await seeing()
    const asJson = await call('POST', '/attachments', { data: content.toString('base64') })
    expect(asJson).toMatchObject({ status: 201, data: { mediaType, name: null, size: content.length } })
    const form = new FormData()
    form.set('file', new File([content], 'Bjørn’s "bees".png', { type: 'image/png' }))
    const response = await fetch(`${await house.listen()}/v1/attachments`, {
      method: 'POST',
      headers: owner.headers,
      body: form
    })
    const { id, ...asForm } = (await response.json()) as { id: string }
    expect(asForm).toEqual({ mediaType, name: 'Bjørn’s "bees".png', size: content.length })
    const got = await read(id)
    expect([got.statusCode, got.headers['content-type']]).toEqual([200, mediaType])
    expect(got.rawPayload).toEqual(content)
    expect(got.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=31536000, immutable',
      vary: expect.stringMatching(/authorization/i),
      'content-disposition': "inline; filename*=UTF-8''Bj%C3%B8rn%E2%80%99s%20%22bees%22.png"
    })
  })

  test('goes with a message, to a model that sees, and stands in the list', async () => {
    const { keep, say, shown, tree } = await seeing()
    const ids = [await keep(), await keep(GIF, 'more.gif')]
    const { conversationId, status } = await say('What is this?', { attachmentIds: ids })
    expect(status).toBe('completed')
    expect(shown()).toEqual([[PNG, GIF]])
    await say('And now?', { conversationId })
    expect(shown()).toEqual([[PNG, GIF], [], []])
    const [asked, reply] = await tree(conversationId)
    expect(asked.attachments).toEqual([
      { id: ids[0], mediaType: 'image/png', name: 'bees.png', size: PNG.length },
      { id: ids[1], mediaType: 'image/gif', name: 'more.gif', size: GIF.length }
    ])
    expect(reply.attachments).toEqual([])
  })

  test('goes with an edited message once more, and with no other conversation', async () => {
    const { call, keep, say, shown, tree } = await seeing()
    const id = await keep()
    const { conversationId } = await say('What is this?', { attachmentIds: [id] })
    await say('What is this bee?', { conversationId, parentId: null, attachmentIds: [id] })
    expect(shown()).toEqual([[PNG]])
    const images = (await tree(conversationId)).flatMap((one: { attachments: unknown[] }) => one.attachments)
    expect(images).toHaveLength(2)
    expect(images[1]).toEqual({ ...images[0], id: expect.not.stringContaining(id) })
    const before = (await call('GET', '/conversations')).data
    const elsewhere = await call('POST', '/chat', { message: 'And here?', attachmentIds: [id] })
    expect([elsewhere.status, elsewhere.data.code]).toEqual([409, 'PAI_CHAT_ATTACHMENT_TAKEN'])
    expect((await call('GET', '/conversations')).data).toEqual(before)
  })

  test('that was shown earlier keeps a model that does not see from nothing', async () => {
    const { model, say, keep, shown } = await seeing()
    const { conversationId } = await say('What is this?', { attachmentIds: [await keep()] })
    model.abilities = { ...SEES, images: false }
    expect((await say('And now?', { conversationId })).status).toBe('completed')
    expect(shown()).toEqual([[], [], []])
  })

  test('is refused for a model that does not see, before anything of its message is stored', async () => {
    const { model, call, keep, say, tree } = await seeing()
    const id = await keep()
    const { conversationId, message } = await say('What is this?', { attachmentIds: [id] })
    model.abilities = { ...SEES, images: false }
    const other = await keep()
    const before = await tree(conversationId)
    for (const [path, body] of [
      ['/chat', { message: 'And this?', attachmentIds: [other] }],
      ['/chat', { message: 'And this?', conversationId, attachmentIds: [other] }],
      [`/messages/${message.id}/regenerate`, undefined]
    ] as const) {
      const { status, data } = await call('POST', path, body, { 'idempotency-key': `blind ${path}` })
      expect([status, data.code]).toEqual([400, 'PAI_MODEL_NO_IMAGES'])
    }
    expect(await tree(conversationId)).toEqual(before)
    expect((await call('GET', '/conversations')).data.items).toHaveLength(1)
    model.abilities = SEES
    // The refusal took neither the key nor the image.
    const body = { message: 'And this?', attachmentIds: [other] }
    const again = await call('POST', '/chat', body, { 'idempotency-key': 'blind /chat' })
    expect(again.data.status).toBe('completed')
  })

  test('is refused in offline mode, which sees nothing', async () => {
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const call = callAs(house, await house.register())
    const { id } = (await call('POST', '/attachments', { data: PNG.toString('base64') })).data
    const refused = await call('POST', '/chat', { message: 'What is this?', attachmentIds: [id] })
    expect(refused).toMatchObject({ status: 400, data: { code: 'PAI_MODEL_NO_IMAGES' } })
    expect((await call('GET', `/attachments/${id}`)).status).toBe(200)
  })

  test('is one for its key, however often it is sent', async () => {
    const { call } = await seeing()
    const send = (content: Buffer) =>
      call('POST', '/attachments', { data: content.toString('base64') }, { 'idempotency-key': 'bees' })
    const answers = await Promise.all([send(PNG), send(PNG), send(PNG)])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await send(GIF)).toMatchObject({ status: 422, data: { code: 'PAI_IDEMPOTENCY_KEY_REUSED' } })
  })

  test('is removed while no message has it, and else with its conversation', async () => {
    const { call, keep, say } = await seeing()
    const [loose, taken] = [await keep(), await keep()]
    expect((await call('DELETE', `/attachments/${loose}`)).status).toBe(204)
    expect((await call('DELETE', `/attachments/${loose}`)).data.code).toBe('PAI_CHAT_ATTACHMENT_NOT_FOUND')
    const { conversationId } = await say('What is this?', { attachmentIds: [taken] })
    const kept = await call('DELETE', `/attachments/${taken}`)
    expect([kept.status, kept.data.code]).toEqual([409, 'PAI_CHAT_ATTACHMENT_TAKEN'])
    await call('DELETE', `/conversations/${conversationId}`)
    expect((await call('GET', `/attachments/${taken}`)).status).toBe(404)
  })

  test('stays when a memory of the same name is purged, under another', async () => {
    const { call, keep, say, tree, read } = await seeing()
    const fact = 'Ada keeps bees in Tromsø'
    const { id: memoryId } = (await call('POST', '/memories', { text: fact })).data
    const id = await keep(PNG, `${fact}.png`)
    const { conversationId } = await say('What is this?', { attachmentIds: [id] })
    expect((await call('DELETE', `/memories/${memoryId}?purge=true`)).status).toBe(204)
    const [asked] = await tree(conversationId)
    expect(asked.attachments[0]).toMatchObject({ id, name: expect.not.stringContaining('bees') })
    expect((await read(id)).rawPayload).toEqual(PNG)
  })

  test('is nobody else’s, and cannot be told from none', async () => {
    const { house, keep } = await seeing()
    const stranger = callAs(house, await house.register())
    for (const id of [await keep(), NOBODY]) {
      for (const answer of [
        await stranger('GET', `/attachments/${id}`),
        await stranger('DELETE', `/attachments/${id}`),
        await stranger('POST', '/chat', { message: 'Hi', attachmentIds: [id] })
      ]) {
        expect([answer.status, answer.data.code]).toEqual([404, 'PAI_CHAT_ATTACHMENT_NOT_FOUND'])
      }
    }
    expect((await stranger('GET', '/conversations')).data.items).toEqual([])
  })

  test('waits for a message with 63 others at most', async () => {
    const { call, owner } = await seeing()
    await database().pool.query(
      `INSERT INTO attachments (owner_id, id, media_type, size, content)
       SELECT $1, gen_random_uuid(), 'image/png', 1, 'x' FROM generate_series(1, 63)`,
      [owner.id]
    )
    const keep = () => call('POST', '/attachments', { data: PNG.toString('base64') })
    expect((await keep()).status).toBe(201)
    expect(await keep()).toMatchObject({ status: 409, data: { code: 'PAI_CHAT_ATTACHMENTS_WAITING' } })
  })

  test('waits with 63 others at most, however many are sent at once', async () => {
    const { call, owner } = await seeing()
    await database().pool.query(
      `INSERT INTO attachments (owner_id, id, media_type, size, content)
       SELECT $1, gen_random_uuid(), 'image/png', 1, 'x' FROM generate_series(1, 62)`,
      [owner.id]
    )
    const keep = () => call('POST', '/attachments', { data: PNG.toString('base64') })
    const answers = await Promise.all(Array.from({ length: 8 }, keep))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, ...Array(6).fill(409)])
  })

  test('of 5 MB is taken, of more it is not', async () => {
    const { call } = await seeing()
    const send = (size: number) => {
      const data = Buffer.concat([PNG, Buffer.alloc(size - PNG.length)]).toString('base64')
      return call('POST', '/attachments', { data })
    }
    expect((await send(5 * MEGABYTE)).data.size).toBe(5 * MEGABYTE)
    expect(await send(5 * MEGABYTE + 1)).toMatchObject({
      status: 413,
      data: { code: 'PAI_CHAT_IMAGE_TOO_LARGE' }
    })
    expect(await send(6 * MEGABYTE)).toMatchObject({ status: 413, data: { code: 'PAI_BODY_TOO_LARGE' } })
  })

  describe('is refused', () => {
    test.each([
      ['another kind of file', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')],
      ['a page', Buffer.from('<html>').toString('base64')],
      ['the beginning of a kind', PNG.subarray(0, 7).toString('base64')],
      ['what is no base64', '@@@@']
    ])('where it is %s, whatever it is called', async (_name, data) => {
      const { status, data: problem } = await refused()('POST', '/attachments', {
        mediaType: 'image/png',
        data
      })
      expect([status, problem.code]).toEqual([400, 'PAI_CHAT_IMAGE_INVALID'])
    })

    test.each([{}, { data: '' }, { data: 1 }, { data: 'aaaa', colour: 'red' }])(
      'where the body is not what it should be: %j',
      async (body) => {
        expect((await refused()('POST', '/attachments', body)).data.code).toBe('PAI_VALIDATION')
      }
    )

    test.each([
      ['nothing', '--x--\r\n'],
      ['a text', '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nwords\r\n--x--\r\n'],
      [
        'another field',
        '--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nwords\r\n--x--\r\n'
      ],
      ['half of it', '--x\r\nContent-Disposition: form-data; name="file"; filename="a']
    ])('where the form holds %s', async (_name, body) => {
      const type = { 'content-type': 'multipart/form-data; boundary=x' }
      const { status, data } = await refused()('POST', '/attachments', body, type)
      expect([status, data.code]).toEqual([400, 'PAI_FORM_INVALID'])
    })

    test.each([
      { message: 'Hi', attachmentIds: Array.from({ length: 9 }, (_, index) => NOBODY.slice(0, -1) + index) },
      { message: 'Hi', attachmentIds: [NOBODY, NOBODY] },
      { message: 'Hi', attachmentIds: ['mine'] },
      { message: ' ', attachmentIds: [NOBODY] },
      { attachmentIds: [NOBODY] }
    ])('with a message that is not what it should be: %j', async (body) => {
      const { status, data } = await refused()('POST', '/chat', body)
      expect([status, data.code]).toEqual([400, 'PAI_VALIDATION'])
    })
  })
})
