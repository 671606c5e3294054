import { nameOf } from './statement.ts'

/** A text with values of its own in it comes once and never again. */
const COMES_AGAIN = 3
/** Each connection keeps a plan of each. */
const MOST_NAMED = 200
const MOST_SEEN = 2_000
/** A server prepares one statement at a time, and refuses a name for several. */
const SEVERAL = /;\s*\S/

/**
 * Names for the statements that come again and again. Of a named one a server keeps the plan, on each connection; any other is
 * planned each time, which takes longer than to do what it says where a table has many indexes.
 */
export function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>()
  const seen = new Map<string, number>()
  return (text) => {
    const known = names.get(text)
    if (known || names.size >= MOST_NAMED || SEVERAL.test(text)) return known
    const times = (seen.get(text) ?? 0) + 1
    if (seen.size >= MOST_SEEN) seen.clear()
    seen.set(text, times)
    if (times < COMES_AGAIN) return undefined
    seen.delete(text)
    const name = nameOf(text)
    names.set(text, name)
    return name
  }
}
