import { analyzeTerms } from '../../search/analyze.ts'
import { OWNER } from './facts.ts'

/** Attributes with one value at a time: a later statement replaces the earlier one. */
const SINGLE = new Set([
  'name',
  'nickname',
  'home',
  'address',
  'employer',
  'job',
  'phone',
  'email',
  'age',
  'diet',
  'partner',
  'marital status',
  'boss',
  'birthday',
  'birthplace',
  'blood group',
  'title',
  'price',
  'schedule',
  'tool',
  'commute',
  'date',
  'study',
  'school year',
  'way of meeting'
])
/** Of those, the ones of which the latest word counts even where nobody says that anything changed. */
const LATEST_WINS = new Set([
  'home',
  'address',
  'employer',
  'phone',
  'email',
  'age',
  'marital status',
  'nickname',
  'school year'
])
/** And the ones that do not change: another value is a contradiction, whatever its date. */
const LASTING = new Set(['birthday', 'birthplace', 'blood group'])
/** Of these there is one each: "dentist", "name of dog". */
const ONE_EACH = /^(?:name of|role|phone|email|favourite) /

/** What other words for an attribute come to, so that two ways of naming it meet. */
const SYNONYMS = new Map(
  Object.entries({
    city: 'home',
    'home city': 'home',
    residence: 'home',
    location: 'home',
    lives: 'home',
    'lives in': 'home',
    company: 'employer',
    workplace: 'employer',
    'works at': 'employer',
    occupation: 'job',
    profession: 'job',
    role: 'job',
    'job title': 'job',
    telephone: 'phone',
    'phone number': 'phone',
    'e-mail': 'email',
    'email address': 'email',
    'date of birth': 'birthday',
    'place of birth': 'birthplace',
    'blood type': 'blood group',
    allergies: 'allergy',
    pet: 'pets',
    hobbies: 'hobby',
    friends: 'friend',
    wife: 'partner',
    husband: 'partner',
    spouse: 'partner',
    girlfriend: 'partner',
    boyfriend: 'partner'
  })
)
const MAX_LENGTH = 60

/** Whether an attribute has one value at a time. What is not known to is taken to have many. */
export function isSingle(slot: string): boolean {
  return SINGLE.has(slot) || ONE_EACH.test(slot)
}

export function isLatestWins(slot: string): boolean {
  return LATEST_WINS.has(slot) || slot.startsWith('favourite ')
}

export function isLasting(slot: string): boolean {
  return LASTING.has(slot)
}

/** The attributes a model is offered, so that it names them as the rules do. */
export function slotNames(): string[] {
  return [...SINGLE, 'name of dog', 'role dentist', 'likes', 'dislikes', 'allergy', 'hobby', 'friend', 'plan']
}

/** One spelling for a slot: "Home city" and "home" are the same attribute. */
export function normaliseSlot(slot: string): string | null {
  const plain = plainName(slot.replaceAll('_', ' '))
  return plain ? (SYNONYMS.get(plain) ?? plain) : null
}

/** One spelling for a subject: "the user", "me" and "I" are the owner, "My sister Ada" is "ada". */
export function normaliseSubject(subject: string): string | null {
  const plain = plainName(subject.replace(/[’']s?\b/g, ''))
  if (!plain) return null
  return /^(?:i|me|myself|self|user|owner|author|we|us|speaker|writer)$/.test(plain) ? OWNER : plain
}

function plainName(text: string): string {
  return text
    .toLowerCase()
    .replace(/^(?:the|my|our|a|an)\s+/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH)
    .toWellFormed()
}

/** Whether two subjects are the same: "sister ada" and "ada" are, "ada" and "eva" are not. */
export function isSameSubject(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return false
  if (one === other) return true
  if (one === OWNER || other === OWNER) return false
  const [shorter, longer] = [analyzeTerms(one), analyzeTerms(other)].sort((a, b) => a.length - b.length)
  return shorter !== undefined && shorter.length > 0 && shorter.every((term) => longer?.includes(term))
}
