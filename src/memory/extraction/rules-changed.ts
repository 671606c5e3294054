/** Sentences that say that something remembered is over, or is otherwise now. */

import { type FoundFact, OWNER } from './facts.ts'
import { parseClause } from './grammar.ts'
import { kindOf } from './kinds.ts'
import { type Heard, LINKED, namesOf, type weighLinks } from './links.ts'
import { findEvidence } from './rules-changes.ts'
import { withLeadLast } from './rules-clauses.ts'
import * as filters from './rules-filters.ts'
import { personIn } from './rules-introductions.ts'
import type { Around } from './rules-keeping.ts'
import { subjectOf } from './rules-people.ts'
import { isOwnSubject } from './rules-reading.ts'
import { clausesOf, type Stretch } from './rules-sentences.ts'
import { add, bare, type Reading, withNames } from './rules-statements.ts'
import { termsOf } from './sameness.ts'
import { headOf } from './values.ts'

/**
 * A sentence that ends something is kept whole, in place of its clauses: what was, and what is instead, explain each
 * other. `was` is what had been found before it.
 */
export function readChange(
  reading: Reading,
  sentence: Stretch,
  around: Around,
  was: FoundFact[],
  linking: typeof weighLinks
): void {
  const { standing, saidAt } = reading.context
  if (standing.length === 0) return
  const clauses = clausesOf(sentence).filter(isTold)
  const [first, last] = [clauses[0], clauses.at(-1)]
  if (!first || !last || filters.isNotEarnest(sentence.text) || filters.isSupposing(sentence.text)) return
  const from = first.start - sentence.start
  const to = last.start - sentence.start + last.text.length
  const stated = { start: first.start, text: sentence.text.slice(from, to) }
  if (filters.isUnreal(stated.text) || filters.isTold(stated.text)) return
  const heard: Heard = {
    text: stated.text,
    ...around,
    saidAt,
    spoken: reading.spoken.filter(({ start }) => start === sentence.start)
  }
  const likely = linking(heard, standing)
  const linked = standing
    .map((memory, index) => ({ memory, odds: likely[index] ?? Number.NEGATIVE_INFINITY }))
    .filter(({ memory, odds }) => odds >= LINKED && memory.since < saidAt)
    .sort((one, other) => other.odds - one.odds)
  const nearest = linked[0]?.memory
  if (!nearest) return
  reading.facts.splice(0, reading.facts.length, ...was)
  const isOwn = isOwnSubject(bare(first.text))
  const person = isOwn ? null : personIn(reading, stated)
  const about = isOwn ? OWNER : person ? subjectOf(person) : undefined
  const kinds = clauses.map(({ text }) => kindOf(parseClause(bare(text)), bare(text), !person))
  const kind = kinds.find(({ slot }) => slot !== null) ?? kinds[0]
  if (!kind) return
  const said = withLeadLast(stated.text) ?? withNames(reading, stated)
  // "They moved it to the 3rd" says what "it" is only together with what was known.
  const of = namesOf(heard, nearest) ? null : headOf(nearest.text)
  const fact = add(reading, sentence, of ? `${of}: ${said}` : said, kind, null, about, person?.relation)
  if (!fact) return
  // "Never again" says nothing that is new.
  const lasting = termsOf(said).length > 1
  const ends = linked.map(({ memory }) => memory.id)
  Object.assign(fact, { ends, evidence: findEvidence(sentence.text), lasting })
}

/** Asks or orders nothing. */
function isTold({ text }: Stretch): boolean {
  return !filters.isCommand(bare(text)) && !filters.isQuestion(bare(text))
}
