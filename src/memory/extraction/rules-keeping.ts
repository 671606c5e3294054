/** Which of what was found is kept. */

import type { FoundFact } from './facts.ts'
import type { Stretch } from './rules-sentences.ts'
import type { Reading } from './rules-statements.ts'
import type { Weighed, weigh } from './worth.ts'

/** From here on a clause is kept: the logarithm of the odds that it is worth it. */
export const KEPT = 0.8
/** And from here on where it says that something is over, or adds to what is kept. */
export const KEPT_WITH_REASON = -0.5
/** How much lower the bar is for what matters. */
const FOR_IMPORTANCE = 4
/** And for what says who somebody is by the way. */
export const FOR_INTRODUCING = 0.7

/** What stands around a sentence. */
export interface Around {
  before: string
  after: string
}

/** Keeps what was just added, or leaves it out again. `goesOn` is what it goes on with, where it says something only with that. */
export type Keep = (
  fact: FoundFact | null,
  weighed?: Weighed | null,
  least?: number,
  goesOn?: string | null
) => unknown
/** What is seen of the whole sentence. */
export type Mark = Pick<Weighed, 'asked' | 'laughs'>

/** Leaves out again what was added and is not worth it; what says something only with what came before it, joins that. */
export function keepWorthy(
  { facts }: Reading,
  weighing: typeof weigh,
  sentence: Stretch,
  { before }: Around
): Keep {
  return (fact, weighed = null, least = KEPT, goesOn = null) => {
    if (!fact) return
    const worth = weighed ? weighing(weighed, fact.text) : Infinity
    if (worth < least - FOR_IMPORTANCE * (fact.importance - 0.5)) {
      facts.pop()
      return
    }
    if (goesOn === null) return
    facts.pop()
    const last = facts.at(-1)
    const follows = last && (last.quoteStart === sentence.start || last.quote === before)
    if (follows) last.text = `${last.text.replace(/[.!,]+$/, '')}. ${fact.text}`
    else if (goesOn && worth >= KEPT)
      facts.push({ ...fact, text: `${goesOn.replace(/[.!,;\s]+$/, '')}. ${fact.text}` })
  }
}
