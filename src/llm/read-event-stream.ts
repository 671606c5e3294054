import type { Readable } from 'node:stream'

const END = '[DONE]'
const DRAIN_MS = 1_000
/** No event of a model comes near; a compressed stream may hide any size behind a few bytes. */
const MAX_EVENT_CHARACTERS = 4 * 2 ** 20
const MARK = /^data: ?\[DONE\]$/
const LONGEST_MARK = 'data: [DONE]'.length
const LINE_END = /\r\n|\n|\r/

/** What an event says: its name, where it has one, and its data. */
export interface StreamedEvent {
  name: string
  data: string
}

export interface EventStream<T> {
  /** What each piece that arrives brings, which may be several events. */
  pieces: AsyncIterable<Iterable<T>>
  /** Whether the stream has said `[DONE]`, which sets a whole reply apart from one cut short. */
  isDone: () => boolean
}

/**
 * Reads the events of a body until `[DONE]`, or to its end where it says none. What follows `[DONE]` is read to its end
 * by the way, so that the connection serves the next turn too.
 */
export function readEventStream<T>(body: Readable, read: (event: StreamedEvent) => T): EventStream<T> {
  let done = false

  async function* readPieces(): AsyncGenerator<Iterable<T>> {
    const next = takePieces(body)
    const parser = createParser()
    try {
      for (;;) {
        const bytes = await next()
        const events = parser.add(bytes)
        const end = events.findIndex(({ data }) => data === END)
        done = end !== -1
        if (events.length > 0 && end !== 0) yield (done ? events.slice(0, end) : events).values().map(read)
        if (done || bytes === undefined) return
      }
    } finally {
      if (done) drain(body)
      else body.destroy()
    }
  }

  return { pieces: readPieces(), isDone: () => done }
}

/**
 * Answers how to wait for the next bytes; none at the end. Node's own iterator costs as much as all that is done with a token.
 * Who takes nothing for a while has at most two pieces waiting here, and the rest where it comes from.
 */
function takePieces(body: Readable): () => Promise<Uint8Array | undefined> {
  const arrived: Uint8Array[] = []
  let isOver = body.closed
  let failure = body.errored
  let waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined

  function settle(): void {
    if (!waiting) return
    const { resolve, reject } = waiting
    waiting = undefined
    if (arrived.length > 0) resolve(arrived.shift())
    else if (failure) reject(failure)
    else resolve(undefined)
  }
  body.on('data', (bytes: Uint8Array) => {
    arrived.push(bytes)
    if (waiting) settle()
    else if (arrived.length > 1) body.pause()
  })
  body.on('error', (error: Error) => {
    failure = error
    settle()
  })
  body.on('close', () => {
    isOver = true
    settle()
  })
  body.on('end', () => {
    isOver = true
    settle()
  })
  return () => {
    waiting = Promise.withResolvers()
    const { promise } = waiting
    if (arrived.length > 0 || failure || isOver) settle()
    else if (body.isPaused()) body.resume()
    return promise
  }
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
      // Only what is new is looked through: a line that never ends would be again and again.
      const lines = text.split(text.includes('\r') ? LINE_END : '\n')
      lines[0] = rest + lines[0]
      rest = lines.pop() ?? ''
      for (const line of lines) addLine(line, events)
      if (size + rest.length > MAX_EVENT_CHARACTERS) throw new EventTooLarge()
      // Said without an end of its line, it is said.
      if (bytes === undefined || (rest.length <= LONGEST_MARK && MARK.test(rest)))
        for (const line of [rest, '']) addLine(line, events)
      return events
    }
  }
}

function drain(body: Readable): void {
  if (body.closed) return
  const timer = setTimeout(() => body.destroy(), DRAIN_MS)
  body.on('close', () => clearTimeout(timer))
  body.removeAllListeners('data').resume()
}

class EventTooLarge extends Error {
  override name = 'EventTooLarge'
  readonly code = 'EVENT_TOO_LARGE'
}
