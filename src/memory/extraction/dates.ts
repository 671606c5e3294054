/** Dates said in relation to the day they were said on, made absolute: "last Friday" means nothing a month later. */

/** A day of the calendar, without a time zone: at midnight in UTC. */
type Day = Date

const DAY_MS = 86_400_000
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December'
]
const WEEKDAY = '(mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?'
const MONTH =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const COUNT = '(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)'
const COUNTS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')
/** What is told as past: of two Fridays or Junes it means the one before. */
const PAST =
  /\b(?:was|were|had|did|got|went|came|took|bought|sold|left|met|saw|born|broke|started|began|became|made|\w{3,}ed|since|ago)\b/i
const RECURRING = /\b(?:every|each|other|third|second|first|most|always|usually)\s+(?:\w+\s+)?$/i
const AHEAD = /\b(?:to|until|till|by|for)\s(?:the\s)?$/i
/** A day that comes every year is not of one year. */
const YEARLY = /\b(?:birthday|bday|anniversary|turns?|turning|every year|each year|annual\w*|born)\b/i

type Resolve = (match: RegExpExecArray, context: Context) => string | null

interface Context {
  today: Day
  past: boolean
  yearly: boolean
  before: string
}

/** In this order: what is longer comes before what it begins with. */
const EXPRESSIONS: [RegExp, Resolve][] = [
  [/\b(?:the )?day after tomorrow\b/gi, (_match, { today }) => onDay(plusDays(today, 2))],
  [/\b(?:the )?day before yesterday\b/gi, (_match, { today }) => onDay(plusDays(today, -2))],
  [/\b(?:tomorrow)\b/gi, (_match, { today }) => onDay(plusDays(today, 1))],
  [/\b(?:yesterday|last night)\b/gi, (_match, { today }) => onDay(plusDays(today, -1))],
  [/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/gi, (_match, { today }) => onDay(today)],
  [
    new RegExp(`\\bin ${COUNT} (day|week|month|year)s?(?:['’] time)?\\b`, 'gi'),
    ([, count = '', unit = ''], { today }) => away(today, toCount(count), unit)
  ],
  [
    new RegExp(`\\b${COUNT} (day|week|month|year)s? ago\\b`, 'gi'),
    ([, count = '', unit = ''], { today }) => away(today, -toCount(count), unit)
  ],
  [/\bin a fortnight\b/gi, (_match, { today }) => onDay(plusDays(today, 14))],
  [
    new RegExp(`\\b(last|next|this|on|by|until|till|since) ${WEEKDAY}\\b`, 'gi'),
    ([, which = '', name = ''], context) =>
      RECURRING.test(context.before) ? null : weekday(which.toLowerCase(), name, context)
  ],
  [
    /\b(last|next) (week|month|year)\b/gi,
    ([, which = '', unit = ''], { today }) => {
      const step = which.toLowerCase() === 'next' ? 1 : -1
      if (unit.toLowerCase() !== 'week') return away(today, step, unit)
      const monday = plusDays(today, 7 * step - weekdayOf(today))
      return `the week of ${onDay(monday)}`
    }
  ],
  [
    new RegExp(
      `\\b(?:(\\d{1,2})(?:st|nd|rd|th)?(?: of)? ${MONTH}|${MONTH} (\\d{1,2})(?:st|nd|rd|th)?)\\b(?![\\s,]*\\d{4})`,
      'gi'
    ),
    ([, day, month, otherMonth, otherDay], context) =>
      context.yearly ? null : yearOf(month ?? otherMonth ?? '', Number(day ?? otherDay), context)
  ],
  [
    new RegExp(`\\b(?:in|since|until|till|by|from|last|next|during) ${MONTH}\\b(?![\\s,]*\\d)`, 'gi'),
    ([match = '', month = ''], context) =>
      /^[A-Z]/.test(month) && !context.yearly
        ? yearOf(month, null, { ...context, past: context.past || /^(?:since|last)/i.test(match) })
        : null
  ]
]

/** The text with the day or year meant behind each such expression, as it was on the day and in the zone it was said in. */
export function makeDatesAbsolute(text: string, saidAt: Date, timeZone: string): string {
  const today = dayOf(saidAt, timeZone)
  const past = PAST.test(text)
  const yearly = YEARLY.test(text)
  const notes: { at: number; note: string }[] = []
  const taken: [number, number][] = []
  for (const [expression, resolve] of EXPRESSIONS) {
    for (const match of text.matchAll(expression)) {
      const end = match.index + match[0].length
      if (taken.some(([from, to]) => match.index < to && from < end)) continue
      const before = text.slice(0, match.index)
      // "Moved to 10 May" tells of a day ahead.
      const note = resolve(match, { today, past: past && !AHEAD.test(before), yearly, before })
      if (note === null) continue
      taken.push([match.index, end])
      notes.push({ at: end, note })
    }
  }
  return notes
    .sort((a, b) => b.at - a.at)
    .reduce((changed, { at, note }) => `${changed.slice(0, at)} (${note})${changed.slice(at)}`, text)
}

const SINCE = new RegExp(
  `\\b(?:since|as of|from) (?:the )?(?:(\\d{1,2})(?:st|nd|rd|th)?(?: of)? )?(?:${MONTH}(?: (\\d{1,2})(?:st|nd|rd|th)?)?)?[\\s,]*((?:19|20)\\d\\d)?\\b`,
  'i'
)

/** Since when something holds, where the words say so and it lies in the past. */
export function findSince(text: string, saidAt: Date, timeZone: string): Date | null {
  const match = SINCE.exec(text)
  const [, day, month, otherDay, year] = match ?? []
  if (!month && !year) return null
  const today = dayOf(saidAt, timeZone)
  const number = month ? monthNumber(month) : 0
  let found = new Date(Date.UTC(Number(year ?? today.getUTCFullYear()), number, Number(day ?? otherDay ?? 1)))
  if (!year && found > today)
    found = new Date(Date.UTC(today.getUTCFullYear() - 1, number, found.getUTCDate()))
  return found <= saidAt ? found : null
}

let calendar: { timeZone: string; format: Intl.DateTimeFormat } | null = null

/** The last one is kept: making one takes longer than reading a message. */
function calendarOf(timeZone: string): Intl.DateTimeFormat {
  if (calendar?.timeZone === timeZone) return calendar.format
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric'
  })
  calendar = { timeZone, format }
  return format
}

/** The day it is somewhere at a moment. */
export function dayOf(moment: Date, timeZone: string): Day {
  const parts = calendarOf(timeZone).formatToParts(moment)
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value)
  return new Date(Date.UTC(part('year'), part('month') - 1, part('day')))
}

function weekday(which: string, name: string, { today, past }: Context): string {
  const wanted = WEEKDAYS.findIndex((day) => day.startsWith(name.toLowerCase().slice(0, 3)))
  const ahead = (wanted - today.getUTCDay() + 7) % 7
  // "Next Tuesday", said on a Monday, is not tomorrow: it is the one of the next week, which begins on a Monday.
  if (which === 'next') return onDay(plusDays(today, 7 - weekdayOf(today) + ((wanted + 6) % 7)))
  const back = which === 'last' || which === 'since' || (which === 'on' && past)
  return onDay(plusDays(today, back ? (ahead === 0 ? -7 : ahead - 7) : ahead === 0 ? 7 : ahead))
}

/** The year of a day or month that was named without one: the nearest ahead, or behind for what is past. */
function yearOf(month: string, day: number | null, { today, past }: Context): string {
  const number = monthNumber(month)
  const at = (year: number) => new Date(Date.UTC(year, number, day ?? (past ? 1 : 28)))
  const thisYear = today.getUTCFullYear()
  if (past) return String(at(thisYear) <= today ? thisYear : thisYear - 1)
  return String(at(thisYear) >= today ? thisYear : thisYear + 1)
}

function away(today: Day, count: number, unit: string): string {
  switch (unit.toLowerCase()) {
    case 'day':
      return onDay(plusDays(today, count))
    case 'week':
      return onDay(plusDays(today, 7 * count))
    case 'month': {
      const month = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + count, 1))
      return `${MONTHS[month.getUTCMonth()]} ${month.getUTCFullYear()}`
    }
    default:
      return String(today.getUTCFullYear() + count)
  }
}

/** From 0 for Monday. */
function weekdayOf(day: Day): number {
  return (day.getUTCDay() + 6) % 7
}

function onDay(day: Day): string {
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`
}

function plusDays(day: Day, count: number): Day {
  return new Date(day.getTime() + count * DAY_MS)
}

function monthNumber(name: string): number {
  return MONTHS.findIndex((month) => month.toLowerCase().startsWith(name.toLowerCase().slice(0, 3)))
}

function toCount(word: string): number {
  const found = COUNTS.indexOf(word.toLowerCase())
  return /^\d/.test(word) ? Number(word) : Math.max(found, 1)
}
