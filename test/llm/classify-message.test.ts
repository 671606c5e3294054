import { expect, test } from 'vitest'
import { classifyMessage, type MessageKind } from '../../src/llm/classify-message.ts'

test.each<[string, MessageKind]>([
  ['hi', 'greeting'],
  ['Good evening, ', 'greeting'],
  ['Hi, my name is Ada', 'statement'],
  ['Where is Ada', 'question'],
  ['Where’s Ada', 'question'],
  ['ok, so who is Ada', 'question'],
  ['Ada lives where?', 'question'],
  ['蜜蜂在哪里？', 'question'],
  ['أين النحل؟', 'question'],
  ['Remind me of the date', 'question'],
  ['summarise my notes', 'question'],
  ['Do you remember Ada?', 'question'],
  ['Remember when we met?', 'question'],
  ['Remember to call Ada', 'remember'],
  ['please don’t forget the bees', 'remember'],
  ['Could you remember that I am vegan?', 'remember'],
  ['What a day!', 'statement'],
  ['How nice that was!', 'statement'],
  ['Whoever said that was right', 'statement'],
  ['Listen, I moved to Oslo', 'statement'],
  ['Ada keeps bees.', 'statement'],
  ['', 'statement']
])('"%s" is a %s', (message, kind) => {
  expect(classifyMessage(message)).toBe(kind)
})

test.each(['and ', 'hi ', 'what! ', '\n', 'and,'])('100 kB of %j is read at once', (piece) => {
  const started = performance.now()
  classifyMessage(piece.repeat(100_000 / piece.length))
  expect(performance.now() - started).toBeLessThan(1_000)
})
