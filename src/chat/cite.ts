import type { PromptSource } from '../llm/model.ts'
import type { Citation } from './schemas.ts'

const MARKER = /\[(\d{1,3})\]/g
/** A marker may be cut by the end of a piece: this much is looked at again. */
const LONGEST_MARKER = 5

/** Finds `[n]` in a reply while it streams, and answers each source the first time it is cited. */
export function createCitationFinder(sources: PromptSource[]): (text: string) => Citation[] {
  const unseen = new Map(sources.map((source) => [source.index, source]))
  let tail = ''
  return function find(text) {
    const window = tail + text
    tail = window.slice(-LONGEST_MARKER)
    if (unseen.size === 0 || !window.includes('[')) return []
    const found: Citation[] = []
    for (const [, digits] of window.matchAll(MARKER)) {
      const source = unseen.get(Number(digits))
      if (!source) continue
      unseen.delete(source.index)
      found.push({ index: source.index, kind: source.kind, id: source.id, quote: source.text, at: source.at })
    }
    return found
  }
}
