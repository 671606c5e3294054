/** Values that a statement may have and another may replace: days, times, dates, amounts and numbers. */

const DAY = '\\d{1,2}(?:st|nd|rd|th)?'
const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
const COUNT = '(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)'
const UNIT =
  '(?:euros?|pounds?|dollars?|quid|kg|kilos?|km|miles?|kcal|%|percent|hours?|minutes?|mins?|times?|people|grams?|g|mg)'

export type ValueKind = 'weekday' | 'clock' | 'date' | 'amount' | 'number'

const FORMS: [ValueKind, RegExp][] = [
  [
    'weekday',
    /\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:mon|tues?|weds?|thurs?|fri|sat|sun)\b/gi
  ],
  [
    'clock',
    new RegExp(
      `\\b\\d{1,2}[:.]\\d\\d\\b|\\b\\d{1,2} ?(?:am|pm|h|o['’]clock)\\b|\\bhalf (?:past )?${COUNT}\\b|\\bat \\d{1,2}\\b(?! ?\\p{L})`,
      'giu'
    )
  ],
  [
    'date',
    new RegExp(
      `\\b${DAY}(?: of)? ${MONTH}\\p{L}*|\\b(?:${MONTH}\\p{L}*) ${DAY}\\b|\\b\\d{1,2}(?:st|nd|rd|th)\\b`,
      'giu'
    )
  ],
  ['amount', new RegExp(`[£$€]\\s?\\d[\\d.,]*|\\b\\d[\\d.,]*\\s?${UNIT}(?!\\p{L})`, 'giu')],
  ['number', new RegExp(`\\b(?:\\d+|${COUNT})\\b`, 'gi')]
]

/** The values in a text by their kinds, each in one spelling. */
export function valuesIn(text: string): Map<ValueKind, Set<string>> {
  const found = new Map<ValueKind, Set<string>>()
  for (const [kind, form] of FORMS) {
    const values = [...text.matchAll(form)].map(([value]) => spell(kind, value.toLowerCase()))
    if (values.length > 0) found.set(kind, new Set(values))
  }
  return found
}

function spell(kind: ValueKind, value: string): string {
  if (kind === 'weekday') return value.slice(0, 3)
  if (kind !== 'date') return value.replace(/\s+|^at/g, '')
  return `${/\d+/.exec(value)?.[0]} ${new RegExp(MONTH).exec(value)?.[0] ?? ''}`
}

const BEFORE_VALUE =
  /(?:[\s,;:.(]|\b(?:is|are|was|were|be|on|at|in|for|from|the|of|every|each|about|around|by|to|and|a|an|comes?|meets?|starts?|leaves?|goes|booked)\b|['’](?:s|re)\b)+$/i

/** What a statement is of: its words before the first value, "My physio" of "My physio is on Thursdays"; null: it has none. */
export function headOf(text: string): string | null {
  const starts = FORMS.map(([, form]) => text.search(form)).filter((at) => at !== -1)
  if (starts.length === 0) return null
  const head = text.slice(0, Math.min(...starts)).replace(BEFORE_VALUE, '')
  return /\p{L}{2,}\s+\S*\p{L}{3,}/u.test(head) ? head : null
}
