import type { ModelEvent } from '../llm/model.ts'

/** Makes the events of a reply such as can be stored: no database holds a NUL, nor half of a surrogate pair. */
export function createReplyCleaner(): (event: ModelEvent) => ModelEvent[] {
  const words = { 'text-delta': createCleaner(), 'reasoning-delta': createCleaner() }
  return (event) => {
    if (event.type === 'start') return [event]
    if (event.type === 'tool-call') {
      const { callId, name, arguments: text } = event.call
      return [
        { type: 'tool-call', call: { callId: clean(callId), name: clean(name), arguments: clean(text) } }
      ]
    }
    if (event.type === 'finish') {
      const rest = words['text-delta'].rest()
      return rest ? [{ type: 'text-delta', text: rest }, event] : [event]
    }
    const text = words[event.type].add(event.text)
    return text ? [{ type: event.type, text }] : []
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
