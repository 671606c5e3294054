import { expect, test } from 'vitest'
import { toTitle } from '../../src/chat/title.ts'
import fc from '../support/properties.ts'

test('a short message is its own title, on one line', () => {
  expect(toTitle('  My sister Ada\n\tkeeps bees  ')).toBe('My sister Ada keeps bees')
})

test('a long one is cut after a whole word', () => {
  const title = toTitle(
    'My sister Ada keeps bees in Tromsø, where the winters are long and the summers are light'
  )
  expect(title).toBe('My sister Ada keeps bees in Tromsø, where the winters are…')
})

test('a message without spaces is cut inside its one word, never inside a character', () => {
  expect(toTitle('a'.repeat(100))).toBe(`${'a'.repeat(60)}…`)
  expect(toTitle(`a${'🐝'.repeat(100)}`)).toBe(`a${'🐝'.repeat(29)}…`)
})

test('whatever the message, its title is one short line that begins like it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const title = toTitle(text)
      expect(title.length).toBeLessThanOrEqual(61)
      expect(title).not.toMatch(/[\n\r\t]/)
      expect(title.isWellFormed()).toBe(true)
      const line = text.trim().replace(/\s+/g, ' ')
      expect(line.startsWith(title.replace(/…$/, ''))).toBe(true)
    })
  )
})
