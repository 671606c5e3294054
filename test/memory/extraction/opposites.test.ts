import { describe, expect, test } from 'vitest'
import { isDenied, isOtherNumber } from '../../../src/memory/extraction/opposites.ts'

describe('one statement denies another', () => {
  test.each([
    ['I eat meat', 'I don’t eat meat'],
    ['I eat meat', 'I no longer eat meat'],
    ['I smoke', 'I stopped smoking'],
    ['I’m married', 'I’m not married'],
    ['I have a dog', 'I don’t have a dog'],
    ['I love jazz', 'I hate jazz'],
    ['I hate jazz', 'I don’t hate jazz'],
    ['I live without coffee', 'I can’t live without coffee']
  ])('“%s” and “%s”', (one, other) => {
    expect([isDenied(one, other), isDenied(other, one)]).toEqual([true, true])
  })

  test.each([
    ['something else', 'I eat meat', 'I don’t eat fish'],
    ['what came about later', 'I haven’t been to Japan', 'I have been to Japan'],
    ['what was to come', 'I’m not married yet', 'I’m married'],
    ['what was once done', 'I ate meat', 'I don’t eat meat'],
    ['what was regularly done', 'I smoked', 'I don’t smoke'],
    ['what was so on another day', 'I was at work', 'I wasn’t at work'],
    [
      'what holds on another day',
      'I’m working today (3 March 2025)',
      'I’m not working today (10 March 2025)'
    ],
    ['a denial taken back, and more', 'I love jazz', 'I don’t hate jazz'],
    ['a denial taken back, and another one', 'I don’t like jazz', 'I don’t hate jazz']
  ])('but not %s: “%s” and “%s”', (_what, one, other) => {
    expect([isDenied(one, other), isDenied(other, one)]).toEqual([false, false])
  })
})

describe('two statements tell different numbers of the same', () => {
  test.each([
    ['I have two children', 'I have 3 children', true],
    ['I’ve got two cats', 'I have three cats', true],
    ['I have two children', 'I have three cats', false],
    ['Ada’s 4', 'Ada’s 5', false],
    ['I have two meetings this week', 'I have three meetings this week', false],
    [
      'I have two exams next week (the week of 3 March 2025)',
      'I have three exams next week (the week of 10 March 2025)',
      false
    ]
  ])('“%s” and “%s”: %s', (one, other, differ) => {
    expect(isOtherNumber(one, other)).toBe(differ)
  })
})
