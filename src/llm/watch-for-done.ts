const DRAIN_MS = 1_000
const MARK = /[\r\n]data: ?\[DONE\]/
const MARK_LENGTH = 14

/**
 * The same response, and whether its event stream has said `[DONE]`. The SDK does not tell, and it is what
 * sets a whole reply apart from one cut short. The SDK also closes the connection there, which costs the next
 * turn a new handshake: what follows `[DONE]` is read to its end instead.
 */
export function watchForDone(response: Response): { response: Response; isDone: () => boolean } {
  const reader = (response.body ?? new Blob([]).stream()).getReader()
  const decoder = new TextDecoder('latin1')
  let tail = '\n'
  let done = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await reader.read()
      if (chunk.done) return controller.close()
      const text = tail + decoder.decode(chunk.value)
      done ||= MARK.test(text)
      tail = text.slice(-MARK_LENGTH)
      controller.enqueue(chunk.value)
    },
    async cancel(reason) {
      if (done) void drain(reader)
      else await reader.cancel(reason)
    }
  })
  return { response: new Response(body, response), isDone: () => done }
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
