import { expect, onTestFinished, test } from 'vitest'
import { readParts } from '../../src/transfer/read-parts.ts'
import { callAs } from '../chat/talk.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

/** Conversations of Claude's, of so many messages each. */
function file(conversations: number, messages: number, text: string): object[] {
  const at = (index: number) => new Date(Date.UTC(2024, 2, 1) + index * 1_000).toISOString()
  return Array.from({ length: conversations }, (_, number) => ({
    uuid: `talk-${number}`,
    name: `Talk ${number}`,
    created_at: at(0),
    updated_at: at(messages),
    chat_messages: Array.from({ length: messages }, (_, index) => ({
      uuid: `talk-${number}-${index}`,
      sender: index % 2 ? 'assistant' : 'human',
      text,
      created_at: at(index)
    }))
  }))
}

describeEachDatabase('a file that is sent', (database) => {
  async function house() {
    const built = await buildTestApp(database())
    onTestFinished(() => built.close())
    const owner = await built.register()
    const send = async (body: string | Buffer) => {
      const response = await fetch(`${await built.listen()}/v1/import`, {
        method: 'POST',
        headers: { ...owner.headers, 'content-type': 'application/json', 'idempotency-key': 'once' },
        body
      })
      return { status: response.status, data: (await response.json()) as Record<string, string> }
    }
    return { send, call: callAs(built, owner) }
  }

  test('is read without work for the thread that answers everybody else', { timeout: 60_000 }, async () => {
    const { send } = await house()
    const body = Buffer.from(JSON.stringify(file(240, 100, 'My sister Ada keeps bees in Tromsø. '.repeat(8))))
    expect(body.length).toBeGreaterThan(9_000_000)
    const spent = async (work: () => unknown) => {
      const before = process.threadCpuUsage()
      await work()
      const { user, system } = process.threadCpuUsage(before)
      return user + system
    }
    // The first request of all makes what the others only use.
    expect(await send('')).toMatchObject({ status: 400 })
    const here = await spent(async () => expect(await send(body)).toMatchObject({ status: 202 }))
    expect(here).toBeLessThan(0.7 * (await spent(() => readParts(body))))
  })

  test('is known again by its bytes, and says why it is refused, however large it is', async () => {
    const { send, call } = await house()
    const large = JSON.stringify(file(15, 100, 'My sister Ada keeps bees in Tromsø. '.repeat(20)))
    const small = JSON.stringify(file(1, 2, 'I ski.'))
    const first = await send(large)
    expect(first).toMatchObject({ status: 202, data: { importId: expect.any(String) } })
    expect(await send(large)).toEqual(first)
    expect(await send(small)).toMatchObject({
      status: 422,
      data: { code: 'PAI_IDEMPOTENCY_KEY_REUSED' }
    })
    for (const padding of ['', 'x'.repeat(1_100_000)]) {
      const refused = [
        [`{"padding": "${padding}`, 'PAI_JSON_INVALID'],
        ['', 'PAI_JSON_INVALID'],
        [JSON.stringify({ padding }), 'PAI_TRANSFER_FILE_UNKNOWN'],
        [JSON.stringify([{ mapping: null, padding }]), 'PAI_TRANSFER_FILE_INVALID'],
        [JSON.stringify([{ chat_messages: [], padding: `${padding}\0` }]), 'PAI_TEXT_REFUSED']
      ]
      for (const [body = '', code] of refused) {
        expect(await send(body)).toMatchObject({ status: 400, data: { code } })
      }
    }
    expect((await call('GET', `/imports/${first.data.importId}`)).data).toMatchObject({ done: 0, total: 4 })
  })
})
