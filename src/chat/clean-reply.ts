import type { ModelEvent } from '../llm/model.ts'

/** A reply as it can be stored: no database holds a NUL, nor half of a surrogate pair. */
export async function* cleanReply(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  const words = { 'text-delta': createCleaner(), 'reasoning-delta': createCleaner() }
  for await (const event of events) {
    if (event.type === 'tool-call') {
      const { callId, name, arguments: text } = event.call
      yield { type: 'tool-call', call: { callId: clean(callId), name: clean(name), arguments: clean(text) } }
    } else if (event.type === 'finish') {
      const rest = words['text-delta'].rest()
      if (rest) yield { type: 'text-delta', text: rest }
      yield event
    } else if (event.type === 'start') {
      yield event
    } else {
      const text = words[event.type].add(event.text)
      if (text) yield { type: event.type, text }
    }
  }
}

/** A character may be cut by the end of a piece, so its first half waits for the next one. */
function createCleaner(): { add(piece: string): string; rest(): string } {
  let half = ''
  return {
    add(piece) {
      const text = half + piece
      half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
      return clean(text.slice(0, text.length - half.length))
    },
    rest: () => clean(half)
  }
}

function clean(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
