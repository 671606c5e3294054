import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { setUp } from './talk.ts'

describeEachDatabase('the answer that a retry gets', (database) => {
  test('is the stored one, also when the log it came from is gone', async () => {
    const { call, house } = await setUp(database())
    const headers = { 'idempotency-key': 'again' }
    const ask = () => call('POST', '/chat', { message: 'Hi' }, headers)
    const first = await ask()
    const { key } = (await call('POST', '/api-keys', { name: 'client' })).data
    const complete = () =>
      house.app.inject({
        method: 'POST',
        url: '/openai/v1/chat/completions',
        headers: { authorization: `Bearer ${key}`, ...headers, 'idempotency-key': 'completion' },
        payload: { model: 'pai', messages: [{ role: 'user', content: 'Hi' }] }
      })
    const completion = await complete()
    // As forgetting does with what an answer was made from.
    await database().pool.query('DELETE FROM turn_events')
    const again = await ask()
    expect([again.status, again.text]).toEqual([200, first.text])
    expect((await complete()).json().choices).toEqual(completion.json().choices)
  })
})
