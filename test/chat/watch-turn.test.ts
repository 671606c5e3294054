import net from 'node:net'
import { expect, test } from 'vitest'
import { deleteExpired } from '../../src/db/system.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callAs, gate, lengthenLog, openStream, parseEvents, STREAM, setUp } from './talk.ts'

describeEachDatabase('following a turn', (database, kind) => {
  /** A reply with every kind of event in it, in several pieces. */
  const script = (steps = [gate(), gate()]) => ({
    steps,
    words: [
      { type: 'reasoning-delta' as const, text: 'Bees? "Tromsø"\n\u2028 ' },
      steps[0]?.step ?? '',
      'They live',
      steps[1]?.step ?? '',
      ' in Tromsø [1].',
      { type: 'tool-call' as const, call: { callId: 'c', name: 'look', arguments: '{}' } }
    ]
  })

  test('from every event on, the rest of the log is the same to the byte, on another node too', async () => {
    const { steps, words } = script()
    const { house, owner, call } = await setUp(database(), ({ sources }) =>
      sources.length > 0 ? words : ['Noted']
    )
    await call('POST', '/chat', { message: 'My sister Ada keeps bees in Tromsø' })
    const live = await openStream(house, owner, '/chat', {
      body: { message: 'Where does my sister Ada keep bees?' }
    })
    await live.until('reasoning-delta')
    steps[0]?.open()
    await live.until('text-delta')
    steps[1]?.open()
    const events = await live.all()
    expect(events.map(({ type }) => type)).toEqual([
      'turn',
      'reasoning-delta',
      'text-delta',
      'text-delta',
      'citation',
      'tool-call',
      'usage',
      'done'
    ])

    const node = await buildTestApp(database())
    const path = `/turns/${events[0]?.data.turnId}/events`
    for (const at of [call, callAs(node, owner)]) {
      expect((await at('GET', path)).text).toBe(live.text)
      for (const { id } of events) {
        const { status, type, text } = await at('GET', path, undefined, { 'last-event-id': String(id) })
        expect([status, type]).toEqual([200, 'text/event-stream; charset=utf-8'])
        const read = live.text.slice(0, live.text.length - text.length)
        expect(read + text).toBe(live.text)
        expect(parseEvents(read).at(-1)?.id).toBe(id)
      }
    }
    await node.close()
  })

  test('a reader who comes late, on another node, sees the rest as it happens', async () => {
    const { step, open } = gate()
    const { house, owner } = await setUp(database(), ['Hello', step, ' Ada'])
    const first = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await first.until('turn')
    await first.until('text-delta')
    const node = await buildTestApp(database())
    const late = await openStream(node, owner, `/turns/${data.turnId}/events`, {
      headers: { 'last-event-id': '1' }
    })
    expect(await late.until('text-delta')).toMatchObject({ id: 2, data: { text: 'Hello' } })
    open()
    const all = await first.all()
    expect(await late.all()).toEqual(all.slice(1))
    await node.close()
  })

  test('a log longer than one read is followed to its end', async () => {
    const calls = Array.from({ length: 2_500 }, (_, index) => ({
      type: 'tool-call' as const,
      call: { callId: `c${index}`, name: 'look', arguments: '{}' }
    }))
    const { call } = await setUp(database(), calls)
    const { turnId } = (await call('POST', '/chat', { message: 'Hi' })).data
    const events = parseEvents((await call('GET', `/turns/${turnId}/events`)).text)
    expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 2_503 }, (_, index) => index + 1))
  })

  test('an id that is no event of this turn is refused, running or ended', async () => {
    const { step, open } = gate()
    const { house, owner, call } = await setUp(database(), [step, 'Hello'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    const expectRefusals = async () => {
      for (const id of ['-1', '1.5', 'one', '0x1', '99', '9007199254740993', '', '1e0']) {
        const headers = { 'last-event-id': id }
        const { status, data: problem } = await call(
          'GET',
          `/turns/${data.turnId}/events`,
          undefined,
          headers
        )
        expect([id, status, problem?.code]).toEqual([id, 400, 'PAI_CHAT_EVENT_ID_INVALID'])
      }
    }
    await expectRefusals()
    open()
    await stream.all()
    await expectRefusals()
  })

  test('a day after its end the log is gone, says so, and the turn is the record', async () => {
    const { call } = await setUp(database())
    const ended = (await call('POST', '/chat', { message: 'Hi' })).data
    const age = (hours: number) =>
      database().pool.query(`UPDATE turns SET finished_at = now() - $1 * interval '1 hour' WHERE id = $2`, [
        hours,
        ended.turnId
      ])
    const logs = async () =>
      (await database().pool.query('SELECT FROM turn_events WHERE turn_id = $1', [ended.turnId])).rows.length
    await age(23)
    await database().inSystem((tx) => deleteExpired(tx))
    expect((await call('GET', `/turns/${ended.turnId}/events`)).status).toBe(200)
    await age(25)
    // Whether it has been tidied away by then or not.
    for (let tidied = 0; tidied < 2; tidied++) {
      const { status, data } = await call('GET', `/turns/${ended.turnId}/events`)
      expect([status, data.code]).toEqual([410, 'PAI_CHAT_TURN_LOG_GONE'])
      await database().inSystem((tx) => deleteExpired(tx))
    }
    expect(await logs()).toBe(0)
    expect((await call('GET', `/turns/${ended.turnId}`)).data).toEqual(ended)
  })

  test('when the conversation is deleted under a turn, whoever waits for it is let go', async () => {
    const { step } = gate()
    const { house, owner, call } = await setUp(database(), ['Hello', step])
    const asJson = call('POST', '/chat', { message: 'Hi' })
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi again' } })
    await stream.until('text-delta')
    await eventually(() => expect(house.services.runner.active).toBe(2))
    const { items } = (await call('GET', '/conversations')).data
    expect(items).toHaveLength(2)
    for (const { id } of items) expect((await call('DELETE', `/conversations/${id}`)).status).toBe(204)
    expect((await stream.all()).map(({ type }) => type)).not.toContain('done')
    expect(await asJson).toMatchObject({ status: 404, data: { code: 'PAI_CHAT_TURN_NOT_FOUND' } })
    expect(house.failures).toEqual([])
  })

  if (kind === 'embedded') return // What follows is about sockets, not about the database.

  test('a reader that takes nothing costs a bounded buffer and holds up nobody', async () => {
    const pieces = Array.from({ length: 150 }, (_, index) => ({
      type: 'tool-call' as const,
      call: { callId: `c${index}`, name: 'say', arguments: '{}' }
    }))
    const { house, owner, call } = await setUp(database(), pieces)
    const { turnId } = (await call('POST', '/chat', { message: 'Hi' })).data
    await lengthenLog(database(), turnId)
    const connections = new Set<net.Socket>()
    house.app.server.on('connection', (socket) => connections.add(socket))
    const { port, hostname } = new URL(await house.listen())

    const slow = net.connect(Number(port), hostname)
    const headers = `host: localhost\r\nauthorization: ${owner.headers.authorization}`
    slow.write(`GET /v1/turns/${turnId}/events HTTP/1.1\r\n${headers}\r\n\r\n`)
    slow.pause()
    // The socket's own buffers are full when the server has something left that it cannot send.
    await eventually(() => expect([...connections][0]?.writableNeedDrain).toBe(true))
    const stream = await openStream(house, owner, `/turns/${turnId}/events`)
    const events = await stream.all()
    expect(events).toHaveLength(153)
    expect(stream.text.length).toBeGreaterThan(15_000_000)
    expect([...connections][0]?.writableLength).toBeLessThan(1_000_000)
    slow.destroy()
  })

  test('a reader that has left is not served any more', async () => {
    const { step, open } = gate()
    const { house, owner } = await setUp(database(), [step, 'Hello'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    await stream.until('turn')
    const held = () => new Promise((resolve) => house.app.server.getConnections((_, count) => resolve(count)))
    expect(await held()).toBe(1)
    await stream.leave()
    await eventually(async () => expect(await held()).toBe(0))
    open()
  })

  test('a stream is not to be cached or gathered by a proxy, and carries the headers of every answer', async () => {
    const { house, owner } = await setUp(database())
    const response = await house.app.inject({
      method: 'POST',
      url: '/v1/chat',
      headers: { ...owner.headers, ...STREAM },
      payload: { message: 'Hi' }
    })
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String)
    })
  })
})
