import { expect, test, vi } from 'vitest'
import { type Books, createPayFor, meterCalls } from '../../src/usage/account.ts'

const CALL = {
  model: 'openai:gpt-5-mini',
  kind: 'chat' as const,
  usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 }
}

function setUp(check: Books['check'] = async () => {}) {
  const books = { expect: vi.fn(), check: vi.fn(check), note: vi.fn() }
  const onStray = vi.fn()
  return { books, onStray, payFor: createPayFor(books), meter: meterCalls(onStray) }
}

test('a call is on the account that its work was begun for, however many run at once', async () => {
  const { books, payFor, meter, onStray } = setUp()
  const work = async () => {
    await meter.beforeCall(CALL.model)
    await Promise.resolve()
    meter.onUsage(CALL)
  }
  const accounts = ['a', 'b'].map((ownerId) => ({ ownerId, purpose: 'chat' }))
  await Promise.all(accounts.map((account) => payFor(account, work)))
  expect(books.check.mock.calls).toEqual(accounts.map(({ ownerId }) => [ownerId, CALL.model]))
  expect(books.note.mock.calls).toEqual(accounts.map((account) => [account, CALL]))
  expect(onStray).not.toHaveBeenCalled()
})

test('a call on nobody’s account is told of', async () => {
  const { books, meter, onStray } = setUp()
  await meter.beforeCall(CALL.model)
  meter.onUsage(CALL)
  expect(onStray).toHaveBeenCalledWith(
    expect.objectContaining({ message: expect.stringContaining(CALL.model) })
  )
  expect(books.note).not.toHaveBeenCalled()
})
