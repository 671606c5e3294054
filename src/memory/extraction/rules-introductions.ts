/** Who a message introduces, whom a sentence is about, and what is told of one person in one go. */

import { OWNER } from './facts.ts'
import * as filters from './rules-filters.ts'
import { PRONOUN } from './rules-patterns.ts'
import { meantBy, type Person, subjectOf } from './rules-people.ts'
import { clausesOf, type Stretch } from './rules-sentences.ts'
import { add, bare, type Reading, type RulesContext } from './rules-statements.ts'
import { holdsTerms, termsOf } from './sameness.ts'
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
    const before = whatWas(person, context)
    if (before.length === 0 && context.known.some(({ subject }) => subject === name.toLowerCase())) continue
    const said = facts.find(({ text }) => text.includes(name))
    said?.ends.push(...before)
    if (said) continue
    const statement = `${name} ${gender === 'they' ? 'are' : 'is'} my ${relation}.`
    const kind = { category: 'relationship', slot: 'relation', importance: 0.7 }
    const fact = add(reading, sentence, statement, kind, null, subjectOf(person), relation)
    fact?.ends.push(...before)
  }
}

/** What somebody was before they became this to the owner. */
const BEFORE = new Map([
  ['fiancée', ['girlfriend', 'boyfriend']],
  ['fiancé', ['girlfriend', 'boyfriend']],
  ['fiancee', ['girlfriend', 'boyfriend']],
  ['fiance', ['girlfriend', 'boyfriend']],
  ['wife', ['girlfriend', 'fiancée', 'fiancee']],
  ['husband', ['boyfriend', 'fiancé', 'fiance']],
  ['ex', ['girlfriend', 'boyfriend', 'partner']],
  ['ex-wife', ['wife']],
  ['ex-husband', ['husband']]
])
/** Of these there is one: who is named as it now has taken the place of the one before. */
const ONE_OF_THEM = new Set([
  'boss',
  'manager',
  'landlord',
  'landlady',
  'dentist',
  'gp',
  'barber',
  'hairdresser'
])

/** What of a person, or of the one in their place, is over because of what they are said to be now. */
function whatWas({ name, relation }: Person, { known, standing }: RulesContext): string[] {
  const subject = (name ?? '').toLowerCase()
  const lower = BEFORE.get(relation) ?? []
  const self = known.filter((one) => one.subject === subject && lower.includes(one.relation ?? ''))
  const others = ONE_OF_THEM.has(relation)
    ? known.filter((one) => one.relation === relation && one.subject !== subject && one.subject !== relation)
    : []
  return standing
    .filter((memory) =>
      [...self, ...others].some(
        (one) => one.subject === memory.subject && holdsTerms(memory.text, termsOf(one.relation ?? ''))
      )
    )
    .map(({ id }) => id)
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
