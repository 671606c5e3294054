const END = '[DONE]'
const DRAIN_MS = 1_000
/** No event of a model comes near; a compressed stream may hide any size behind a few bytes. */
const MAX_EVENT_CHARACTERS = 4 * 2 ** 20
const LINE_END = /\r\n|\n|\r/

/** What an event says: its name, where it has one, and its data. */
export interface StreamedEvent {
  name: string
  data: string
}

export interface EventStream {
  events: AsyncIterable<StreamedEvent>
  /** Whether the stream has said `[DONE]`, which sets a whole reply apart from one cut short. */
  isDone: () => boolean
}

/**
 * Reads the events of a response until `[DONE]`, or to its end where it says none. What follows `[DONE]` is read to its end
 * by the way, so that the connection serves the next turn too.
 */
export function readEventStream(response: Response): EventStream {
  let done = false

  async function* read(): AsyncGenerator<StreamedEvent> {
    const reader = (response.body ?? new Blob([]).stream()).getReader()
    const parser = createParser()
    try {
      for (;;) {
        const piece = await reader.read()
        for (const event of parser.add(piece.value)) {
          if (event.data === END) {
            done = true
            return
          }
          yield event
        }
        if (piece.done) return
      }
    } finally {
      if (done) void drain(reader)
      else reader.cancel().catch(() => undefined)
    }
  }

  return { events: read(), isDone: () => done }
}

/** Puts events together from bytes; none mark the end, and what has come of an event then counts as one. */
function createParser(): { add(bytes: Uint8Array | undefined): StreamedEvent[] } {
  const decoder = new TextDecoder()
  let rest = ''
  let endedInReturn = false
  let name = ''
  let data: string[] = []
  let size = 0

  function addLine(line: string, events: StreamedEvent[]): void {
    if (line === '') {
      if (data.length > 0) events.push({ name, data: data.join('\n') })
      name = ''
      data = []
      size = 0
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data.push(value)
    if (field === 'event') name = value
    size += line.length
  }

  return {
    add(bytes) {
      const events: StreamedEvent[] = []
      let text = decoder.decode(bytes, { stream: bytes !== undefined })
      // The two characters of one line's end may come apart.
      if (endedInReturn && text.startsWith('\n')) text = text.slice(1)
      endedInReturn = text === '' ? endedInReturn : text.endsWith('\r')
      const lines = (rest + text).split(LINE_END)
      rest = lines.pop() ?? ''
      for (const line of lines) addLine(line, events)
      if (size + rest.length > MAX_EVENT_CHARACTERS) throw new EventTooLarge()
      // Said without an end of its line, it is said.
      if (bytes === undefined || /^data: ?\[DONE\]$/.test(rest))
        for (const line of [rest, '']) addLine(line, events)
      return events
    }
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => reader.cancel().catch(() => undefined), DRAIN_MS)
  try {
    while (!(await reader.read()).done);
  } catch {
    // The reply is whole: how its connection ends is nobody's concern.
  } finally {
    clearTimeout(timer)
  }
}

class EventTooLarge extends Error {
  override name = 'EventTooLarge'
  readonly code = 'EVENT_TOO_LARGE'
}
