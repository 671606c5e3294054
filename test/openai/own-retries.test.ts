import net from 'node:net'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { gate, setUp } from '../chat/talk.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const hi = { role: 'user' as const, content: 'Hi' }
const kept = { headers: { 'X-PAI-Conversation': 'new' } }

/** A way to the house whose first connection breaks when a turn runs, before anything is answered. */
async function behindBrokenWire(house: TestApp): Promise<{ url: string; connections: () => number }> {
  const { port } = new URL(await house.listen())
  let connections = 0
  const wire = net.createServer((near) => {
    const far = net.connect(Number(port), '127.0.0.1')
    near.pipe(far)
    for (const side of [near, far]) side.on('error', () => {})
    near.on('close', () => far.destroy())
    if (++connections > 1) return void far.pipe(near)
    eventually(() => expect(house.services.runner.active).toBe(1)).finally(() => near.destroy())
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void wire.close())
  const { port: own } = wire.address() as net.AddressInfo
  return { url: `http://127.0.0.1:${own}`, connections: () => connections }
}

describeEachDatabase('what OpenAI’s client sends again by itself', (database) => {
  async function setUpClient(script?: Parameters<typeof setUp>[1]) {
    const { house, call, model } = await setUp(database(), script)
    const { key } = (await call('POST', '/api-keys', { name: 'client' })).data
    return { house, call, model, key: key as string }
  }

  for (const stream of [false, true]) {
    test(`after a connection that broke off is one message, ${stream ? 'streamed' : 'whole'}`, async () => {
      const { step, open } = gate()
      const { house, call, model, key } = await setUpClient([step, 'Hello Ada'])
      const { url, connections } = await behindBrokenWire(house)
      const client = new OpenAI({ apiKey: key, baseURL: `${url}/openai/v1`, maxRetries: 2 })
      const asked = client.chat.completions.create({ model: 'pai', messages: [hi], stream }, kept)
      await eventually(() => expect(connections()).toBe(2))
      open()
      const answer = await asked
      let text = ''
      if (Symbol.asyncIterator in answer) {
        for await (const { choices } of answer) text += choices[0]?.delta.content ?? ''
      } else text = answer.choices[0]?.message.content ?? ''
      expect(text).toBe('Hello Ada')
      expect(model.asked).toHaveLength(1)
      const { items } = (await call('GET', '/conversations')).data
      expect(items).toHaveLength(1)
      expect((await call('GET', `/conversations/${items[0].id}/messages`)).data.items).toHaveLength(2)
    })
  }

  test('is told from what is sent twice on purpose, and from what is long past', async () => {
    const { house, call, key } = await setUpClient()
    const send = async (tries: number) => {
      const { headers } = await house.app.inject({
        method: 'POST',
        url: '/openai/v1/chat/completions',
        headers: {
          authorization: `Bearer ${key}`,
          'x-pai-conversation': 'new',
          'x-stainless-retry-count': String(tries)
        },
        payload: { model: 'pai', messages: [hi] }
      })
      return headers['x-pai-conversation']
    }
    const first = await send(0)
    const second = await send(0)
    expect(second).not.toBe(first)
    expect(await send(1)).toBe(second)
    await database().pool.query("UPDATE idempotency_keys SET created_at = created_at - interval '16 minutes'")
    const third = await send(1)
    expect([first, second]).not.toContain(third)
    expect(await send(2)).toBe(third)
    expect((await call('GET', '/conversations')).data.items).toHaveLength(3)
  })
})
