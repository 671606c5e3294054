/** Facts found without a model: what people tell of themselves and theirs, in whatever words. */

import { type FoundFact, OWNER } from './facts.ts'
import { parseClause } from './grammar.ts'
import { kindOf } from './kinds.ts'
import { weighLinks } from './links.ts'
import { readChange } from './rules-changed.ts'
import * as filters from './rules-filters.ts'
import { introduce, joinAlike } from './rules-introductions.ts'
import { type Around, type Keep, keepWorthy } from './rules-keeping.ts'
import { ABOUT_ME, AS_ROLE, BRAND, ORDER_WITHIN, REMEMBER, STANDING_ORDER } from './rules-patterns.ts'
import { peopleIn } from './rules-people.ts'
import { readClause } from './rules-reading.ts'
import { calm, clausesOf, type Stretch, sentencesOf } from './rules-sentences.ts'
import { spellOut } from './rules-spelling.ts'
import { add, bare, type Reading, type RulesContext } from './rules-statements.ts'
import { weigh } from './worth.ts'

export type { RulesContext } from './rules-statements.ts'

const MAX_FACTS = 10
const ASKED = 'the owner asked to remember it'

/** Whom a statement is about and which attribute it fills, so that what is written by hand is compared with what is said. */
export function describeStatement(text: string, context: RulesContext): Pick<FoundFact, 'subject' | 'slot'> {
  const [fact, ...others] = findFacts(text, context, () => Number.POSITIVE_INFINITY)
  const isComparable = fact?.slot && others.length === 0
  return isComparable ? { subject: fact.subject, slot: fact.slot } : { subject: null, slot: null }
}

/** What a message of the owner's says about the owner's world; nothing where nothing is plain. */
export function findFacts(
  message: string,
  context: RulesContext,
  weighing = weigh,
  linking = weighLinks
): FoundFact[] {
  const { text: spelt, original } = spellOut(message)
  const sentences = sentencesOf(spelt).map(calm)
  const people = sentences.flatMap((sentence) => peopleIn(sentence, context.known))
  const reading: Reading = { people, context, facts: [], message: spelt, introduced: new Set(), spoken: [] }
  for (const [index, sentence] of sentences.entries()) {
    const about = ABOUT_ME.exec(sentence.text)?.[1]
    if (about)
      add(reading, sentence, about, { category: 'identity', slot: null, importance: 0.7 }, null, OWNER)
    const cut = filters.cutAtColon(sentence.text)
    const own = cut === null ? sentence : { ...sentence, text: cut }
    const around = {
      before: sentences[index - 1]?.text ?? '',
      after: sentences[index + 1]?.text ?? ''
    }
    // What follows is somebody's text, the text to work on, or a play.
    if (filters.isHandingOver(sentence.text)) break
    const was = reading.facts.map((fact) => ({ ...fact }))
    readSentence(reading, own, around, keepWorthy(reading, weighing, own, around))
    readChange(reading, own, around, was, linking)
    if (cut !== null || filters.isPretending(sentence.text)) break
  }
  introduce(reading, sentences)
  joinAlike(reading)
  return reading.facts.slice(0, MAX_FACTS).map((fact) => {
    const quoteStart = original(fact.quoteStart)
    return {
      ...fact,
      quoteStart,
      quote: message.slice(quoteStart, original(fact.quoteStart + fact.quote.length))
    }
  })
}

function readSentence(reading: Reading, sentence: Stretch, around: Around, keep: Keep): void {
  const { text } = sentence
  const asked = REMEMBER.exec(text)?.[1]
  if (asked && !filters.isAsking(text) && !filters.isQuestion(asked)) {
    // "To call mom" would say nothing of why it is kept.
    const statement = /^to\b/i.test(asked) ? text : asked
    const kind = kindOf(parseClause(asked), asked, true)
    keep(add(reading, sentence, statement, { ...kind, importance: 0.9 }, ASKED))
    return
  }
  if (filters.isNotEarnest(text) || filters.isSupposing(text)) return
  const order = ORDER_WITHIN.exec(text)?.[1] ?? (STANDING_ORDER.test(bare(text)) ? text : null)
  if (order && !filters.isUnreal(text)) {
    keep(add(reading, sentence, order, { category: 'preference', slot: 'instruction', importance: 0.7 }))
    return
  }
  const isAsking = filters.isAsking(text)
  if (!isAsking && filters.isTold(text)) return
  const clauses = clausesOf(sentence)
  const mark = { asked: isAsking, laughs: /\b(?:lol|lmao+|haha\w*)\b|\p{Extended_Pictographic}/iu.test(text) }
  const role = AS_ROLE.exec(bare(text))?.[1]
  if (role) {
    const said = `I'm ${role}`
    keep(add(reading, sentence, said, kindOf(parseClause(said), said, true), null, OWNER), {
      text: said,
      ...mark,

      joined: true,
      person: false
    })
    if (isAsking) return
  }
  const known = reading.facts.length
  // "I'm allergic to nuts, right?" asks what it says; what follows a question or a request does not.
  const askedAt = clauses.findIndex(
    ({ text }) => filters.isCommand(bare(text)) || filters.isQuestion(bare(text))
  )
  const isAskedFirst = askedAt !== -1 && askedAt < clauses.length - 1
  const told = isAsking && !isAskedFirst ? clauses.slice(0, -1) : clauses
  for (const clause of told) {
    const own = { ...clause, text: clause.text.replace(/[\s?!]+$/, '') }
    readClause(
      reading,
      sentence,
      isAsking ? own : clause,
      around.before,
      { ...mark, joined: clauses.length > 1 },
      keep
    )
  }
  const brand = reading.facts.length === known && !filters.isUnreal(text) ? BRAND.exec(text)?.[1] : null
  if (brand)
    keep(
      add(reading, sentence, `I have a ${brand}`, {
        category: 'possession',
        slot: 'possession',
        importance: 0.5
      })
    )
}
