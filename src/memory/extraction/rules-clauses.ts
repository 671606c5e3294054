/** How a clause is put so that it tells something by itself. */

import { parseClause } from './grammar.ts'
import * as patterns from './rules-patterns.ts'

/** "Since the gout attack I eat no meat" with what it is about first. */
export function withLeadLast(text: string): string | null {
  const lead = patterns.LEAD.exec(text)
  if (!lead) return null
  const { verb, auxiliaries } = parseClause(lead[1] ?? '')
  if (!verb && auxiliaries.length > 0) return null
  const rest = text.slice(lead[0].length).replace(/[.!,;\s]+$/, '')
  const first = lead[1] ?? ''
  return `${rest}, ${first.charAt(0).toLowerCase()}${first.slice(1)}`
}

/** "Mine" with the thing that was asked about just before. */
export function withThing(clause: string, before: string): string {
  if (!patterns.MINE.test(clause)) return clause
  const [, noun] =
    /\b(?:an?|for|the)\s(?:[\p{L}\p{N}-]+\s)*?([\p{L}-]{3,})(?=[?.!,]|\s(?:is|for|in|on|with|to|of|at)\b)/iu.exec(
      before
    ) ?? []
  return noun ? clause.replace(patterns.MINE, `My ${noun}`) : clause
}
