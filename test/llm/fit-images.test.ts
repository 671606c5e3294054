import { expect, test } from 'vitest'
import { fitImages } from '../../src/llm/fit-images.ts'
import type { ImageLimit, Prompt } from '../../src/llm/model.ts'

const image = (size: number) => ({ mediaType: 'image/png', data: new Uint8Array(size) })

function shownOf(shown: number[][], imageLimit?: ImageLimit): number[][] {
  const messages: Prompt['messages'] = shown.flatMap((sizes) => [
    { role: 'user' as const, content: 'Look', images: sizes.map(image) },
    { role: 'assistant' as const, content: 'I see' }
  ])
  const abilities = { images: true, tools: false, structured: false, ...(imageLimit && { imageLimit }) }
  const model = { id: 'a:model', abilities, stream: () => expect.unreachable() }
  const fitted = fitImages({ system: '', messages: messages.slice(0, -1), sources: [] }, model)
  return fitted.messages.flatMap((message) =>
    message.role === 'user' ? [(message.images ?? []).map(({ data }) => data.length)] : []
  )
}

test('a model without a limit is shown everything', () => {
  expect(shownOf([[9, 9], [9]])).toEqual([[9, 9], [9]])
})

test('of earlier messages, what is too large or too many is left out, the oldest first', () => {
  expect(shownOf([[1, 2], [9, 3], [4]], { count: 3, bytes: 5 })).toEqual([[1], [3], [4]])
  expect(shownOf([[9], []], { count: 3, bytes: 5 })).toEqual([[], []])
})

test.each([
  ['too large', [6]],
  ['too many', [1, 1, 1]]
])('images of the message to answer that are %s are refused, with what the model takes', (_, sizes) => {
  expect(() => shownOf([[1], sizes], { count: 2, bytes: 5 })).toThrow(
    expect.objectContaining({
      code: 'PAI_MODEL_IMAGES_TOO_LARGE',
      message: expect.stringContaining('a:model takes 2 images')
    })
  )
})
