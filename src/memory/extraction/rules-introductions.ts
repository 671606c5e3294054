/** Who a message introduces, whom a sentence is about, and what is told of one person in one go. */

import { OWNER } from './facts.ts'
import * as filters from './rules-filters.ts'
import { PRONOUN } from './rules-patterns.ts'
import { meantBy, type Person, subjectOf } from './rules-people.ts'
import { clausesOf, type Stretch } from './rules-sentences.ts'
import { add, bare, type Reading } from './rules-statements.ts'
import { isSingle } from './slots.ts'

/** People who were named with what they are to the owner, where nothing kept says so. */
export function introduce(reading: Reading, sentences: Stretch[]): void {
  const { people, facts, context } = reading
  for (const person of people) {
    const { name, relation, introduced, gender } = person
    const sentence = sentences.find(
      ({ start, text }) => person.at >= start && person.at < start + text.length
    )
    if (!introduced || !name || !sentence || filters.isPlay(sentence.text)) continue
    if (context.known.some(({ subject }) => subject === name.toLowerCase())) continue
    if (facts.some(({ text }) => text.includes(name))) continue
    const statement = `${name} ${gender === 'they' ? 'are' : 'is'} my ${relation}.`
    const kind = { category: 'relationship', slot: 'relation', importance: 0.7 }
    add(reading, sentence, statement, kind, null, subjectOf(person), relation)
  }
}

/** Who a sentence is about: somebody named in it, or whom its first pronoun means. */
export function personIn({ people }: Reading, sentence: Stretch): Person | null {
  const named = people.find(({ at }) => at >= sentence.start && at < sentence.start + sentence.text.length)
  if (named) return named
  for (const { text, start } of clausesOf(sentence)) {
    const pronoun = PRONOUN.exec(bare(text))?.[2]
    const person = pronoun ? meantBy(pronoun, people, start) : null
    if (person) return person
  }
  return null
}

/** Two likings of one person, said in one message, explain each other. */
export function joinAlike({ facts, message }: Reading): void {
  for (let index = facts.length - 1; index > 0; index--) {
    const [before, fact] = [facts[index - 1], facts[index]]
    const isMany = fact?.slot != null && !isSingle(fact.slot) && fact.subject !== OWNER
    if (!before || !fact?.subject || !isMany) continue
    if (fact.slot !== before.slot || fact.subject !== before.subject) continue
    before.quote = message.slice(
      before.quoteStart,
      Math.max(before.quoteStart + before.quote.length, fact.quoteStart + fact.quote.length)
    )
    before.text = `${before.text.replace(/[.!]+$/, '')}. ${fact.text}`
    facts.splice(index, 1)
  }
}
