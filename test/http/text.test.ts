import { expect, test } from 'vitest'
import { refuseUnstorableText } from '../../src/http/text.ts'
import fc from '../support/properties.ts'

/** Where the text was refused; null when it was not. */
function refusedAt(value: unknown): string | null {
  try {
    refuseUnstorableText(value, 'body')
    return null
  } catch (error) {
    expect((error as { code: string }).code).toBe('PAI_TEXT_REFUSED')
    return (error as Error).message.split(' ', 1)[0] ?? ''
  }
}

test('what cannot be stored is refused, naming its place', () => {
  expect(refusedAt('a\0b')).toBe('body')
  expect(refusedAt({ message: 'a\0b' })).toBe('body/message')
  expect(refusedAt({ a: [1, { b: 'c' }, { b: '\ud800' }] })).toBe('body/a/2/b')
  expect(refusedAt(['fine', ['\udc00']])).toBe('body/1/0')
})

test('a name of a field is text too', () => {
  expect(refusedAt({ 'a\0': 1 })).toBe('body')
  expect(refusedAt({ outer: { '\ud800': 'fine' } })).toBe('body/outer')
})

test('well-formed text passes whatever it says, and nothing else in a request is text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const storable = !JSON.stringify(value).includes('\\u0000')
      if (storable) expect(refusedAt(value)).toBeNull()
    })
  )
  for (const value of [undefined, null, 0, true, {}, [], { a: null, b: [undefined] }])
    expect(refusedAt(value)).toBeNull()
  expect(refusedAt('\ud83d\udc1d 🐝 \ufffd \uffff')).toBeNull()
})

test('one bad character is found anywhere in anything', () => {
  const bad = fc.constantFrom('\0', '\ud800', '\udfff', 'bees\ud83d')
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      bad,
      fc.tuple(tie('node')),
      fc.record({ a: fc.constant(1), b: tie('node') })
    )
  })).node
  fc.assert(fc.property(value, (item) => refusedAt(item) !== null))
})

test('nesting deeper than the stack is looked through', () => {
  let deep: unknown = '\0'
  for (let depth = 0; depth < 200_000; depth++) deep = [deep]
  expect(refusedAt(deep)).toMatch(/^body(\/0)+/)
})

test('the place of a refusal is cut short, and is text itself', () => {
  const place = refusedAt({ ['n'.repeat(10_000)]: { ['🐝'.repeat(500)]: ['\0'] } })
  expect(place?.length).toBeLessThanOrEqual(200)
  const split = refusedAt({ [`${'n'.repeat(194)}🐝`]: { a: '\0' } })
  expect(split?.isWellFormed()).toBe(true)
})
