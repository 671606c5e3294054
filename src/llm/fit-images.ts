import { ModelImagesTooLarge } from './errors.ts'
import type { ChatModel, ImageLimit, Prompt, PromptImage } from './model.ts'

/**
 * A prompt with the images that a model takes: of earlier messages those that fit, the latest first. Throws where images of
 * the message to answer do not.
 */
export function fitImages(prompt: Prompt, { id, abilities }: ChatModel): Prompt {
  const limit = abilities?.imageLimit
  if (!limit) return prompt
  const { messages } = prompt
  const asked = messages.findLastIndex(({ role }) => role === 'user')
  let left = limit.count
  const fitted = messages.toReversed().map((message, fromEnd) => {
    if (message.role !== 'user' || !message.images) return message
    const { images: given, ...words } = message
    const images = given.filter((image) => fits(image, limit)).slice(0, left)
    if (fromEnd === messages.length - 1 - asked && images.length < given.length)
      throw new ModelImagesTooLarge(id, limit.count, Math.floor(limit.bytes / 1_000) / 1_000)
    left -= images.length
    return images.length > 0 ? { ...words, images } : words
  })
  return { ...prompt, messages: fitted.toReversed() }
}

function fits({ data }: PromptImage, { bytes }: ImageLimit): boolean {
  return data.byteLength <= bytes
}
