import { termsOf } from './sameness.ts'

/** Attributes of things rather than of people: what a thing is called, when it is, what it costs, what it is done with. */
export const TOPICAL = new Set(['title', 'schedule', 'price', 'date', 'tool'])
const COLLECTIVE = new Set(termsOf('lot group crew guys folks people gang thing list'))
const HEAD =
  /^\(?(?:my|our|the)\s+(.+?)\s(?:is|are|was|were|has|have|had|meets?|stays|starts?|comes|takes|leaves|costs?|needs|uses|got|opens|closes|moved)\b/i
const CALLED = /\b(?:a|an|the|my|our)\s(?:[\p{L}-]+\s){0,2}?([\p{L}-]+)\s(?:called|named|titled)\b/iu
const USED_FOR = /\buses?\s.+?\sfor\s(?:the|our|my)\s(.+?)[.!]*$/i
const PHONE = /(?:\+|\b0)[\d\s()-]{7,}\d/

/** The thing a statement is about: the words between "my" and its verb. */
export function topicOf(text: string): string | null {
  const words = HEAD.exec(text)?.[1] ?? USED_FOR.exec(text)?.[1] ?? CALLED.exec(text)?.[1] ?? ''
  const all = termsOf(words)
  const telling = all.filter((term) => !COLLECTIVE.has(term))
  const terms = telling.length > 0 ? telling : all
  return terms.length > 0 && terms.length <= 4 ? terms.join(' ') : null
}

/** The attribute of a thing: its price, its times, what it is called. */
export function slotOf(text: string): string | null {
  if (/\b(?:called|named|renamed?|title|titled)\b/i.test(text)) return 'title'
  if (/\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d{1,2}:\d\d/i.test(text)) return 'schedule'
  if (/[£$€]\s?\d|\b(?:price|an hour|per hour|costs?)\b/i.test(text)) return 'price'
  return null
}

/** The attribute that the form of a value shows, whatever the sentence is like. */
export function valueSlot(statement: string, message: string): string | null {
  if (PHONE.test(statement) && /\b(?:phone|number|mobile|sim|call|ring)\b/i.test(message)) return 'phone'
  if (/\S@\S+\.\S/.test(statement) && /\be-?mail\b/i.test(message)) return 'email'
  if (/\b(?:i|we)\s(?:use|renamed)\b/i.test(statement)) {
    return /\brenamed\b/i.test(statement) ? 'title' : topicOf(statement) ? 'tool' : null
  }
  if (/["“'‘][^"”'’]+["”'’]/.test(statement) && /\b(?:called|titled|title|named)\b/i.test(statement))
    return 'title'
  return null
}
