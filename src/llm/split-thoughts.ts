import type { ModelEvent } from './model.ts'

const OPEN = '<think>'
const CLOSE = '</think>'

/**
 * Takes apart the words of a server that does not: without a parser for its model's thoughts, vLLM, llama.cpp and LM Studio
 * send them as the beginning of the reply, between tags. Tags further on are the model's own words.
 */
export function createThoughtSplitter(): { add(text: string): ModelEvent[]; rest(): ModelEvent[] } {
  let state: 'beginning' | 'thoughts' | 'pause' | 'words' = 'beginning'
  let held = ''

  function take(isLast: boolean): ModelEvent[] {
    if (state === 'beginning') {
      const begun = held.trimStart()
      if (!isLast && begun.length < OPEN.length && OPEN.startsWith(begun)) return []
      state = begun.startsWith(OPEN) ? 'thoughts' : 'words'
      if (state === 'thoughts') held = begun.slice(OPEN.length)
    }
    const thoughts: ModelEvent[] = []
    if (state === 'thoughts') {
      const end = held.indexOf(CLOSE)
      const whole = end === -1 ? held.length - (isLast ? 0 : lengthOfPartAtEnd(held)) : end
      thoughts.push(...say('reasoning-delta', whole))
      if (end === -1) return thoughts
      held = held.slice(CLOSE.length)
      state = 'pause'
    }
    if (state === 'pause') {
      held = held.trimStart()
      if (held) state = 'words'
    }
    return [...thoughts, ...say('text-delta', held.length)]
  }

  /** Says so many characters of what is held. */
  function say(type: 'text-delta' | 'reasoning-delta', length: number): ModelEvent[] {
    const text = held.slice(0, length)
    held = held.slice(length)
    return text ? [{ type, text }] : []
  }

  return {
    add(text) {
      held += text
      return take(false)
    },
    rest: () => take(true)
  }
}

/** How much of the end of a text may be the beginning of the closing tag. */
function lengthOfPartAtEnd(text: string): number {
  for (let length = CLOSE.length - 1; length > 0; length--)
    if (text.endsWith(CLOSE.slice(0, length))) return length
  return 0
}
