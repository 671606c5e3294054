import type { ModelEvent } from '../../src/llm/model.ts'

/** What came before the end, and the error it ended with. */
export async function collect(events: AsyncIterable<ModelEvent>) {
  const seen: ModelEvent[] = []
  try {
    for await (const event of events) seen.push(event)
    return { seen, error: null }
  } catch (error) {
    return { seen, error: error as Error & { code: string; cause?: Error } }
  }
}

/** All that a logger could print of an error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const fields = JSON.stringify(error, Object.getOwnPropertyNames(error))
  return `${error.message} ${error.stack} ${fields} ${describeError(error.cause)}`
}
