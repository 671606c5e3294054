/** Sentences that say that something is over. */

import { OWNER } from './facts.ts'
import { parseClause } from './grammar.ts'
import { kindOf } from './kinds.ts'
import { findEndings, findEvidence, isNewJob } from './rules-changes.ts'
import { withLeadLast } from './rules-clauses.ts'
import * as filters from './rules-filters.ts'
import { personIn } from './rules-introductions.ts'
import { type Around, KEPT_WITH_REASON, type Keep, type Mark } from './rules-keeping.ts'
import { BROAD } from './rules-patterns.ts'
import { subjectOf } from './rules-people.ts'
import { isOwnSubject } from './rules-reading.ts'
import type { Stretch } from './rules-sentences.ts'
import { add, bare, type Reading, withNames } from './rules-statements.ts'
import { termsOf } from './sameness.ts'

/** A sentence that says that something is over is kept whole: what was, and what is instead, explain each other. */
export function readEnding(
  reading: Reading,
  sentence: Stretch,
  around: Around,
  clauses: Stretch[],
  mark: Mark,
  keep: Keep
): boolean {
  const { text } = sentence
  const ends = findEndings(text, `${text} ${around.after}`)
  const isBare = ends.every(({ denied }) => denied) && termsOf(text).length < 2
  if (ends.length === 0 || isBare || filters.isUnreal(text) || filters.isQuestion(text)) return false
  const last = clauses.findLast(({ text: part }) => !filters.isCommand(part) && !filters.isQuestion(part))
  if (!last) return true
  const stated = { ...sentence, text: text.slice(0, last.start - sentence.start + last.text.length) }
  const first = bare(clauses[0]?.text ?? '')
  const isOwn = isOwnSubject(first)
  const person = isOwn ? null : personIn(reading, sentence)
  const about = isOwn || isNewJob(text) ? OWNER : person ? subjectOf(person) : undefined
  const kinds = clauses.map((clause) => kindOf(parseClause(bare(clause.text)), bare(clause.text), !person))
  const kind = kinds.find(({ slot }) => slot !== null) ?? kinds[0]
  if (!kind) return true
  const fact = add(
    reading,
    sentence,
    withLeadLast(stated.text) ?? withNames(reading, stated),
    kind,
    null,
    about,
    person?.relation
  )
  if (!fact) return true
  const scoped = ends.map((ending) => ({
    ...ending,
    subject: ending.subject ?? (BROAD.test(text) ? null : (about ?? null))
  }))
  // "Never again" says nothing that is new.
  const lasting = !/^(?:never|no more|not)\b/i.test(bare(text))
  Object.assign(fact, { ends: scoped, evidence: findEvidence(text), lasting })
  const weighed = {
    text: stated.text,
    ...mark,

    joined: clauses.length > 1,
    person: person !== null
  }
  keep(fact, weighed, KEPT_WITH_REASON)
  return true
}
