import { expect, onTestFinished, test } from 'vitest'
import { buildTestApp, scriptedModel } from './support/app.ts'
import { describeEachDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'

// One turn, whole, over a socket, with only the model scripted. The numbers are those of "Walking the data" in the
// house style: what happens to a message from its arrival to the memory it leaves.
describeEachDatabase('a turn from end to end', (database) => {
  test('what is told in one conversation answers a question in the next', async () => {
    const model = scriptedModel(({ sources }) =>
      sources.length > 0 ? ['In Tromsø', ' [1].'] : ['Noted', ', thanks.']
    )
    const house = await buildTestApp(database(), { llm: { chat: model }, works: true })
    onTestFinished(() => house.close())
    const url = `${await house.listen()}/v1`
    let headers: Record<string, string> = { 'content-type': 'application/json' }
    const post = (path: string, body: unknown, more = {}) =>
      fetch(`${url}${path}`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) })
    // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
    const get = async (path: string): Promise<any> => (await fetch(`${url}${path}`, { headers })).json()

    // 1. A request arrives and gets an id. 2. Nobody is signed in.
    const anonymous = await post('/chat', { message: 'Hi' })
    expect(anonymous.status).toBe(401)
    expect(await anonymous.json()).toMatchObject({
      code: 'PAI_AUTH_REQUIRED',
      requestId: anonymous.headers.get('x-request-id')
    })
    const registered = await post('/auth/register', { email: 'ada@example.org', password: 'bees in Tromsø' })
    expect(registered.status).toBe(201)
    const { accessToken } = (await registered.json()) as { accessToken: string }
    headers = { ...headers, authorization: `Bearer ${accessToken}` }

    // 3. A body is what we said, or is refused. 4. So is a conversation that is not theirs.
    expect((await post('/chat', { message: 1 })).status).toBe(400)
    const conversationId = '01900000-0000-7000-8000-000000000000'
    expect((await post('/chat', { message: 'Hi', conversationId })).status).toBe(404)
    expect((await get('/conversations')).items).toEqual([])

    // 5, 6. Nothing is known yet; the model streams and the log grows. 7. The caller follows it.
    const said = 'My sister Ada keeps bees in Tromsø'
    const stream = await post('/chat', { message: said }, { accept: 'text/event-stream' })
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    const events = await stream.text()
    expect(events).toMatch(/^id: 1\nevent: turn\n/)
    expect(events).toMatch(/event: done\ndata: .*"status":"completed".*\n\n$/)
    const turnId = /"turnId":"([^"]+)"/.exec(events)?.[1]
    const resumed = await fetch(`${url}/turns/${turnId}/events`, {
      headers: { ...headers, 'last-event-id': '1' }
    })
    expect(events.endsWith(`\n\n${await resumed.text()}`)).toBe(true)

    // 8. The reply is saved, and the message with it.
    const turn = await get(`/turns/${turnId}`)
    expect(turn).toMatchObject({ status: 'completed', message: { content: 'Noted, thanks.' } })
    const { items } = await get(`/conversations/${turn.conversationId}/messages`)
    expect(items).toMatchObject([{ role: 'user', content: said }, turn.message])

    // 9. A job makes a memory of it, elsewhere and later, that names its source.
    const memories = await eventually(async () => {
      const { items } = await get('/memories')
      expect(items).toHaveLength(1)
      return items
    })
    expect(memories[0]).toMatchObject({
      text: expect.stringContaining('bees in Tromsø'),
      sources: [{ messageId: turn.message.parentId, quote: expect.stringContaining('bees in Tromsø') }]
    })

    // A new conversation recalls it: the prompt holds it, the reply cites it.
    const asked = await post('/chat', { message: 'Where does my sister keep her bees?' })
    const answer = (await asked.json()) as Record<string, unknown>
    expect(answer).toMatchObject({
      status: 'completed',
      message: {
        content: 'In Tromsø [1].',
        citations: [{ index: 1, kind: 'memory', id: memories[0].id, quote: memories[0].text }]
      },
      memoriesUsed: [{ id: memories[0].id, text: memories[0].text }]
    })
    expect(answer.conversationId).not.toBe(turn.conversationId)
    expect(model.asked.at(-1)?.notes).toContain(memories[0].text)
    expect(model.asked.at(-1)?.messages).toEqual([
      { role: 'user', content: 'Where does my sister keep her bees?' }
    ])
    expect(house.failures).toEqual([])
  })
})
