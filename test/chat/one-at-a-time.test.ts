import { expect, test } from 'vitest'
import { createOneAtATime } from '../../src/chat/one-at-a-time.ts'

test('work of one key is done in its order, one after the other; that of others meanwhile', async () => {
  const oneAtATime = createOneAtATime()
  const seen: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = oneAtATime('ada', async () => {
    await gate.promise
    seen.push('first')
    return 1
  })
  const second = oneAtATime('ada', async () => seen.push('second'))
  await oneAtATime('bob', async () => seen.push('other'))
  gate.resolve()
  expect(await first).toBe(1)
  await second
  expect(seen).toEqual(['other', 'first', 'second'])
})

test('work that fails fails alone', async () => {
  const oneAtATime = createOneAtATime()
  const failing = oneAtATime('ada', async () => {
    throw new Error('no')
  })
  const next = oneAtATime('ada', async () => 'done')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('done')
})

test('work that may begin at once waits for nothing before it, and what comes after it for both', async () => {
  const oneAtATime = createOneAtATime()
  const seen: string[] = []
  const gate = Promise.withResolvers<void>()
  const hurry = Promise.withResolvers<void>()
  const first = oneAtATime('ada', async () => {
    await gate.promise
    seen.push('first')
  })
  const urgent = oneAtATime('ada', async () => seen.push('urgent'), hurry.promise)
  const last = oneAtATime('ada', async () => seen.push('last'))
  hurry.resolve()
  await urgent
  await new Promise(setImmediate)
  expect(seen).toEqual(['urgent'])
  gate.resolve()
  await Promise.all([first, last])
  expect(seen).toEqual(['urgent', 'first', 'last'])
})
