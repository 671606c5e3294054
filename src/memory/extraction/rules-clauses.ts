/** Whether a clause tells something by itself, and how it is put so that it does. */

import * as patterns from './rules-patterns.ts'
import { isAcquaintance, type Person, RELATION } from './rules-people.ts'
import { isAnchored } from './rules-plain.ts'
import { type Kind, kindOfOther, kindOfOwn } from './rules-predicates.ts'
import { slotOf } from './rules-topics.ts'
import { termsOf } from './sameness.ts'

/** "Since the gout attack I eat no meat" with what it is about first. */
export function withLeadLast(text: string): string | null {
  const lead = patterns.LEAD.exec(text)
  if (!lead) return null
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

/** Says nothing by itself, unless what it says is plain all the same: "I'm single and happy about it". */
export function isDangling(text: string): boolean {
  if (/\b(?:in|on|for|with|at|of|about|to) (?:it|them|that|this)[.!?)]*$/i.test(text))
    return !isAnchored(text)
  const isPlain = ['relationship', 'health'].includes(kindOfOwn(text)?.category ?? '')
  const isAboutIt = /\b(?:in|on|for|with|at|of|about|to) (?:it|them|that|this)[.!?)]*$/i.test(text)
  return (
    patterns.DANGLING.test(text) && (termsOf(text).length < 3 || isAboutIt) && !isAnchored(text) && !isPlain
  )
}

/** "She's loyal" is a remark; "she's diabetic" and "she lives in Oslo" are not. */
export function isTellingOf(text: string): boolean {
  return !patterns.WANTING.test(text) && (termsOf(text).length > 1 || kindOfOther(text).category === 'health')
}

/** What a nameless acquaintance does is their own affair, unless it says where they live, what they do or how they are. */
export function isWorthTelling({ name, relation }: Person, text: string): boolean {
  const { category, slot } = kindOfOther(text)
  return (
    name !== null || !isAcquaintance(relation) || category === 'health' || (slot ?? slotOf(text)) !== null
  )
}

/** "My brother's lot before they fly" has no verb; "my flight's at 6:40" does. */
export function hasOwnVerb(text: string): boolean {
  return (
    patterns.VERB.test(text.replace(/^(?:my|our)\s[\p{L}-]+['’]s/iu, 'my')) ||
    /^(?:my|our)\s[\p{L}-]+['’]s\s(?:at|on|in|due|not|an?|the|called)\b/iu.test(text)
  )
}

export function thing(text: string): Kind {
  const category = /\b(?:flight|trip|appointment|meeting|exam|wedding|deadline|test|interview|gig)\b/i.test(
    text
  )
    ? 'plan'
    : 'fact'
  return { category, slot: slotOf(text), importance: 0.5 }
}

/** A state that leaves out who is in it. */
export const STATE: Kind = { category: 'fact', slot: null, importance: 0.55 }

/** "Bought 9 packs" is an errand; "finally finished the deck" is an event of a life. */
export function isMereAct(text: string): boolean {
  return patterns.ELLIPTIC.test(text) && !/\p{Lu}/u.test(text.slice(1)) && !/^finally\b/i.test(text)
}

/** "The vet is my cousin". */
export function isKinOf(text: string): boolean {
  return new RegExp(
    `^(?:the|our)\\s[\\p{L}\\s-]{2,30}\\s(?:is|are)\\s(?:my|our)\\s(?:${RELATION})\\b`,
    'iu'
  ).test(text)
}

/** What somebody is about to do, or does in passing, with nothing that shows it lasts. */
export function isPassingOf(text: string): boolean {
  const rest = text.replace(/^(?:(?:my|our)\s)?\S+\s/, 'x ')
  return (
    kindOfOther(text).slot === null &&
    kindOfOther(text).category === 'relationship' &&
    kindOfOther(text).importance === 0.6 &&
    !isAnchored(rest) &&
    (/(?:\b(?:is|are)|['’](?:s|re)) \p{L}+ing\b/iu.test(text) || termsOf(text).length < 3)
  )
}
