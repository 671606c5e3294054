import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { buildTestApp, scriptedModel, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callAs, gate, lengthenLog, parseEvents, setUp } from './talk.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tests read messages of every shape
type Message = any

/** A socket, what came over it, and how it was closed. */
async function connect(house: TestApp, owner?: TestOwner) {
  const socket = new WebSocket(`${(await house.listen()).replace('http', 'ws')}/v1/ws`)
  onTestFinished(() => socket.terminate())
  const messages: Message[] = []
  let closed: number | null = null
  socket.on('message', (data) => messages.push(JSON.parse(String(data))))
  socket.on('close', (code) => {
    closed = code
  })
  await once(socket, 'open')
  const say = (message: unknown) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  const until = (fits: (message: Message) => boolean): Promise<Message> =>
    eventually(() => {
      const found = messages.find(fits)
      expect(found, JSON.stringify(messages)).toBeDefined()
      return found
    })
  if (owner) {
    say({ type: 'authenticate', ref: 'hello', token: owner.accessToken })
    await until(({ ref }) => ref === 'hello')
  }
  const eventsOf = (turnId: string) => messages.filter((one) => one.type === 'event' && one.turnId === turnId)
  return { socket, messages, say, until, eventsOf, closed: () => closed }
}

/** A client that answers no good-bye: it says what the test has it say, and takes what comes. */
async function connectRude(house: TestApp) {
  const { port } = new URL(await house.listen())
  const socket = net.connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let heard = ''
  socket.setEncoding('latin1').on('data', (data) => {
    heard += data
  })
  const key = Buffer.alloc(16).toString('base64')
  socket.write(
    `GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  )
  const say = (message: unknown) => {
    const text = Buffer.from(JSON.stringify(message))
    // One text frame, masked with zeros, its length in two bytes.
    socket.write(
      Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text])
    )
  }
  return { socket, say, until: (words: string) => eventually(() => expect(heard).toContain(words)) }
}

const isDone = ({ type, event }: Message) => type === 'event' && event === 'done'

describeEachDatabase('turns over a socket', (database, kind) => {
  test('a message is answered with the events that HTTP has, to the number', async () => {
    const { house, owner, call } = await setUp(database(), ['Hello', ' Ada'])
    const { say, until, eventsOf } = await connect(house, owner)
    say({ type: 'chat', ref: 'one', body: { message: 'Hi' } })
    const { turnId } = await until(({ ref }) => ref === 'one')
    await until(isDone)
    const overHttp = parseEvents((await call('GET', `/turns/${turnId}/events`)).text)
    expect(eventsOf(turnId).map(({ id, event, data }) => ({ id, type: event, data }))).toEqual(overHttp)
  })

  test('turns of several conversations share a socket', async () => {
    const { step, open } = gate()
    const { house, owner } = await setUp(database(), ({ messages }) =>
      messages.at(-1)?.content === 'slow' ? ['Wait', step, ' for it'] : ['At once']
    )
    const { say, until, messages } = await connect(house, owner)
    say({ type: 'chat', ref: 'slow', body: { message: 'slow' } })
    const slow = await until(({ ref }) => ref === 'slow')
    say({ type: 'chat', ref: 'quick', body: { message: 'quick' } })
    const quick = await until(({ ref }) => ref === 'quick')
    await until((one) => isDone(one) && one.turnId === quick.turnId)
    expect(messages.filter((one) => isDone(one) && one.turnId === slow.turnId)).toEqual([])
    open()
    await until((one) => isDone(one) && one.turnId === slow.turnId)
  })

  test('a socket that breaks loses nothing: another one, on another node, goes on after the last event', async () => {
    const { step, open } = gate()
    const { house, owner } = await setUp(database(), ['Hello', step, ' Ada'])
    const first = await connect(house, owner)
    first.say({ type: 'chat', ref: 'one', body: { message: 'Hi' } })
    const { turnId } = await first.until(({ ref }) => ref === 'one')
    await first.until(({ event }) => event === 'text-delta')
    first.socket.terminate()
    const node = await buildTestApp(database(), { llm: { chat: scriptedModel([]) } })
    onTestFinished(() => node.close())
    const second = await connect(node, owner)
    second.say({ type: 'watch', turnId, after: first.eventsOf(turnId).at(-1).id })
    open()
    await second.until(isDone)
    const ids = [...first.eventsOf(turnId), ...second.eventsOf(turnId)].map(({ id }) => id)
    expect(ids).toEqual(ids.map((_, index) => index + 1))
  })

  test('stop ends the turn, leave only the following', async () => {
    const { step } = gate()
    const { house, owner, call } = await setUp(database(), ['Hello', step])
    const { say, until, messages } = await connect(house, owner)
    say({ type: 'chat', ref: 'one', body: { message: 'Hi' } })
    const { turnId } = await until(({ ref }) => ref === 'one')
    await until(({ event }) => event === 'text-delta')
    say({ type: 'leave', ref: 'left', turnId })
    await until(({ ref }) => ref === 'left')
    expect((await call('GET', `/turns/${turnId}`)).data.status).toBe('running')
    say({ type: 'stop', ref: 'stopped', turnId })
    await until(({ ref }) => ref === 'stopped')
    await eventually(async () => expect((await call('GET', `/turns/${turnId}`)).data.status).toBe('stopped'))
    expect(messages.filter(isDone)).toEqual([])
  })

  test('sent again with its key over a new socket, a message makes one turn', async () => {
    const { house, owner, model } = await setUp(database())
    const turnIds = []
    for (const ref of ['first', 'again']) {
      const { say, until } = await connect(house, owner)
      say({ type: 'chat', ref, idempotencyKey: 'the same', body: { message: 'Hi' } })
      turnIds.push((await until((one) => one.ref === ref)).turnId)
      await until(isDone)
    }
    expect(new Set(turnIds).size).toBe(1)
    expect(model.asked).toHaveLength(1)
  })

  test('another owner’s turn is not there', async () => {
    const { house, owner } = await setUp(database())
    const mine = await callAs(house, owner)('POST', '/chat', { message: 'Hi' })
    const { say, until } = await connect(house, await house.register())
    for (const type of ['watch', 'stop', 'continue']) {
      say({ type, ref: type, turnId: mine.data.turnId })
      expect(await until(({ ref }) => ref === type)).toMatchObject({
        type: 'problem',
        problem: { status: 404, code: 'PAI_CHAT_TURN_NOT_FOUND' }
      })
    }
  })

  test('signed out on another node, it is closed within a second, and the turn goes on', async () => {
    const { step, open } = gate()
    const { house, owner, call } = await setUp(database(), ['Hello', step])
    const { id, key } = (await call('POST', '/api-keys', { name: 'socket' })).data
    const { say, until, closed } = await connect(house, { ...owner, accessToken: key })
    say({ type: 'chat', body: { message: 'Hi' } })
    await until(({ event }) => event === 'text-delta')
    const node = await buildTestApp(database())
    onTestFinished(() => node.close())
    await callAs(node, owner)('DELETE', `/api-keys/${id}`)
    const ended = performance.now()
    await eventually(() => expect(closed()).toBe(4401))
    expect(performance.now() - ended).toBeLessThan(1_000)
    expect(house.services.runner.active).toBe(1)
    open()
  })

  test('signed out, a client that does not close is heard no more, and is cut off soon', async () => {
    const { house, owner, call } = await setUp(database())
    const { id, key } = (await call('POST', '/api-keys', { name: 'socket' })).data
    const { socket, say, until } = await connectRude(house)
    say({ type: 'authenticate', token: key })
    await until('accepted')
    await callAs(house, owner)('DELETE', `/api-keys/${id}`)
    await until('signed out')
    const ended = performance.now()
    say({ type: 'chat', body: { message: 'Still here' } })
    say({ type: 'authenticate', token: owner.accessToken })
    say({ type: 'chat', body: { message: 'Here again' } })
    await once(socket, 'close')
    expect(performance.now() - ended).toBeLessThan(5_000)
    expect((await call('GET', '/conversations')).data.items).toEqual([])
  })

  if (kind === 'embedded') return // What follows is about messages, not about the database.

  test('a socket that takes nothing costs a bounded buffer and holds up no other', async () => {
    const pieces = Array.from({ length: 150 }, (_, index) => ({
      type: 'tool-call' as const,
      call: { callId: `c${index}`, name: 'say', arguments: '{}' }
    }))
    const { house, owner, call } = await setUp(database(), pieces)
    const { turnId } = (await call('POST', '/chat', { message: 'Hi' })).data
    await lengthenLog(database(), turnId)
    const slow = await connect(house, owner)
    const [served] = house.app.websocketServer.clients
    slow.socket.pause()
    slow.say({ type: 'watch', turnId })
    // The socket's own buffers are full when the server has something left that it cannot send.
    await eventually(() => expect(served?.bufferedAmount).toBeGreaterThan(0))
    const other = await connect(house, owner)
    other.say({ type: 'watch', turnId })
    await other.until(isDone)
    expect(other.eventsOf(turnId)).toHaveLength(153)
    expect(served?.bufferedAmount).toBeLessThan(1_000_000)
    slow.socket.resume()
    await slow.until(isDone)
    expect(slow.eventsOf(turnId).map(({ id }) => id)).toEqual(other.eventsOf(turnId).map(({ id }) => id))
  })

  test('who does not say who it is, or says it wrongly, is let go', async () => {
    const { house } = await setUp(database())
    for (const message of [
      { type: 'authenticate', token: 'nonsense' },
      { type: 'chat', body: { message: 'Hi' } },
      'no JSON',
      '[]'
    ]) {
      const { say, messages, closed } = await connect(house)
      say(message)
      await eventually(() => expect(closed()).toBe(4401))
      expect(messages).toMatchObject([{ type: 'problem', problem: { code: expect.stringMatching(/^PAI_/) } }])
    }
  })

  test('a message that is none is refused by its ref, and the socket stays', async () => {
    const { house, owner } = await setUp(database())
    const { say, until, closed } = await connect(house, owner)
    for (const [ref, message] of Object.entries({
      type: { type: 'dance' },
      field: { type: 'leave', turnId: crypto.randomUUID(), also: 1 },
      body: { type: 'chat', body: { message: '' } },
      id: { type: 'watch', turnId: '1' },
      nul: { type: 'chat', body: { message: 'a\0b' } }
    })) {
      say({ ref, ...message })
      expect(await until((one) => one.ref === ref)).toMatchObject({ type: 'problem' })
    }
    say({ type: 'chat', ref: 'fine', body: { message: 'Hi' } })
    expect(await until(({ ref }) => ref === 'fine')).toMatchObject({ type: 'accepted' })
    expect(closed()).toBeNull()
  })

  test('a key without the scope may connect, and start nothing', async () => {
    const { house, owner, call } = await setUp(database())
    const { key } = (await call('POST', '/api-keys', { name: 'reader', scopes: ['memory:read'] })).data
    const { say, until } = await connect(house, { ...owner, accessToken: key })
    say({ type: 'chat', ref: 'one', body: { message: 'Hi' } })
    expect(await until(({ ref }) => ref === 'one')).toMatchObject({
      problem: { status: 403, code: 'PAI_AUTH_SCOPE' }
    })
  })
})
