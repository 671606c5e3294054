import { expect, test } from 'vitest'
import type { StructuredModel, StructuredRequest } from '../../src/llm/model.ts'
import { ADVERSARIAL, judge } from './judge.ts'

const question = { text: 'Who keeps bees?', answer: 'Ada', category: 4, evidence: [] }
const signal = new AbortController().signal

function judging(value: unknown) {
  const asked: StructuredRequest[] = []
  const model: StructuredModel = {
    id: 'scripted',
    async complete(request) {
      asked.push(request)
      return { value, usage: { inputTokens: 7, outputTokens: 3, cachedTokens: 0 } }
    }
  }
  return { model, asked }
}

test('the judge compares with the reference, and its tokens are counted', async () => {
  const { model, asked } = judging({ reason: 'the same', correct: true })
  expect(await judge(model, question, 'It is "Ada"', signal)).toEqual({
    reason: 'the same',
    correct: true,
    inputTokens: 7,
    outputTokens: 3
  })
  expect(asked[0]?.user).toBe(
    'Question: "Who keeps bees?"\nReference answer: "Ada"\nGiven answer: "It is \\"Ada\\""'
  )
})

test('where nothing was said, only not knowing is right, and no reference is shown', async () => {
  const { model, asked } = judging({ reason: 'made up', correct: false })
  await judge(model, { ...question, category: ADVERSARIAL }, 'Ada', signal)
  expect(asked[0]?.user).not.toContain('Reference')
  expect(asked[0]?.system).toContain('premise is false')
})

test('a judge that does not grade stops the evaluation, and counts for nothing', async () => {
  await expect(judge(judging('Correct!').model, question, 'Ada', signal)).rejects.toThrow('not a grade')
})
