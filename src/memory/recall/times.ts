import { dayOf } from '../extraction/dates.ts'

/** Part of the past or future that a query names; `to` is outside it. */
export interface TimeRange {
  from: Date
  to: Date
}

/** A calendar day, or the day after the last one, as midnight in UTC. */
type Days = [from: Date, to: Date]

const DAY_MS = 86_400_000
/** "In June" is any of this many Junes, the coming one left out. */
const YEARS_BACK = 5
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?'
const WEEKDAY = '(sun|mon|tue|wed|thu|fri|sat)(?:s|nes|rs|ur)?(?:day)?'
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?'
const YEAR = '((?:19|20)\\d\\d)'
const COUNT = '(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)'
const COUNTS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')

type Read = (parts: string[], today: Date) => Days[]

/** In this order: what is longer comes before what it holds. */
const EXPRESSIONS: [RegExp, Read][] = [
  [/\b(\d{4})-(\d\d)-(\d\d)\b/, ([year, month, day]) => [oneDay(year, Number(month) - 1, day)]],
  [expression(`${DAY}(?: of)? ${MONTH},? ${YEAR}`), ([d, m, y]) => [oneDay(y, monthOf(m), d)]],
  [expression(`${MONTH} ${DAY},? ${YEAR}`), ([m, d, y]) => [oneDay(y, monthOf(m), d)]],
  [expression(`${MONTH},? ${YEAR}`), ([m, y]) => [wholeMonth(Number(y), monthOf(m))]],
  [
    expression(`${DAY}(?: of)? ${MONTH}`),
    ([d, m], today) => yearly(today, (year) => oneDay(year, monthOf(m), d))
  ],
  [expression(`${MONTH} ${DAY}`), ([m, d], today) => yearly(today, (year) => oneDay(year, monthOf(m), d))],
  [
    expression(`(?:in|during|since|last|this|of) ${MONTH}`),
    ([m], today) => yearly(today, (year) => wholeMonth(year, monthOf(m)))
  ],
  [expression(YEAR), ([y]) => [[utc(Number(y)), utc(Number(y) + 1)]]],
  [expression('(?:the )?day before yesterday'), (_parts, today) => [daysFrom(today, -2, 1)]],
  [expression('yesterday|last night'), (_parts, today) => [daysFrom(today, -1, 1)]],
  [
    expression('today|tonight|this (?:morning|afternoon|evening)'),
    (_parts, today) => [daysFrom(today, 0, 1)]
  ],
  [expression('tomorrow'), (_parts, today) => [daysFrom(today, 1, 1)]],
  [
    expression(`(last|this|next) (week|weekend|month|year)`),
    ([which = '', unit = ''], today) => [unitFrom(today, unit, ['last', 'this', 'next'].indexOf(which) - 1)]
  ],
  [
    expression(`${COUNT} (day|week|month|year)s? ago`),
    ([count, unit = ''], today) => [
      unit === 'day' ? daysFrom(today, -countOf(count), 1) : unitFrom(today, unit, -countOf(count))
    ]
  ],
  [
    expression(`(?:last|past) ${COUNT} (day|week|month|year)s`),
    ([count, unit = ''], today) => [[unitFrom(today, unit, -countOf(count))[0], plusDays(today, 1)]]
  ],
  [
    expression(`(?:last|on) ${WEEKDAY}`),
    ([name = ''], today) => [daysFrom(today, -((today.getUTCDay() - WEEKDAYS.indexOf(name) + 6) % 7) - 1, 1)]
  ]
]
/** Words that ask what there was, and not for anything in particular. */
const ASKING =
  /\b(?:what|when|where|who|which|how|did|do|does|was|were|is|are|have|had|has|i|we|you|me|us|my|our|the|a|an|it|in|on|at|of|to|from|and|about|anything|everything|something|happen(?:ed|ing|s)?|go(?:ing)?|went|talk(?:ed|ing)?|say|said|tell|told|discuss(?:ed)?|mention(?:ed)?|been|up|plans?|planned|events?|things?|there|during|back|show|list|remember|recall)\b/g

/** Whether a query seems to name a time: only then the owner's time zone matters. */
export function namesTime(query: string): boolean {
  return EXPRESSIONS.some(([pattern]) => pattern.test(query.toLowerCase()))
}

/** The times a query names, as they are in the owner's time zone, and whether it asks for nothing else. */
export function findTimes(
  query: string,
  now: Date,
  timeZone: string
): { ranges: TimeRange[]; alone: boolean } {
  const today = dayOf(now, timeZone)
  const ranges: TimeRange[] = []
  let rest = query.toLowerCase()
  for (const [pattern, read] of EXPRESSIONS) {
    const match = pattern.exec(rest)
    if (!match) continue
    rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`
    for (const [from, to] of read(match.slice(1), today)) {
      const range = { from: startOf(from, timeZone), to: startOf(to, timeZone) }
      if (range.from < range.to) ranges.push(range)
    }
  }
  return { ranges, alone: ranges.length > 0 && !/[\p{L}\p{N}]/u.test(rest.replace(ASKING, '')) }
}

/** Whether something lies in one of these times at least in part. */
export function isWithin(ranges: TimeRange[], from: Date, to: Date): boolean {
  return ranges.some((range) => from < range.to && to >= range.from)
}

function expression(pattern: string): RegExp {
  return new RegExp(`\\b(?:${pattern})\\b`)
}

/** The moment a calendar day begins somewhere. */
function startOf(day: Date, timeZone: string): Date {
  // The zone's offset at that moment, asked once more where the first guess lies beyond a change of the clocks.
  let moment = day.getTime()
  for (let attempt = 0; attempt < 2; attempt++) {
    moment = day.getTime() - offsetAt(new Date(moment), timeZone)
  }
  return new Date(moment)
}

function offsetAt(moment: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric'
  }).formatToParts(moment)
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value)
  const there = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second')
  )
  return there - Math.floor(moment.getTime() / 1000) * 1000
}

/** A day or month named without its year: the latest ones that have begun. */
function yearly(today: Date, inYear: (year: number) => Days): Days[] {
  const years = Array.from({ length: YEARS_BACK + 1 }, (_, back) => today.getUTCFullYear() - back)
  return years
    .map(inYear)
    .filter(([from]) => from <= today)
    .slice(0, YEARS_BACK)
}

function unitFrom(today: Date, unit: string, steps: number): Days {
  if (unit === 'month') return wholeMonth(today.getUTCFullYear(), today.getUTCMonth() + steps)
  if (unit === 'year') return [utc(today.getUTCFullYear() + steps), utc(today.getUTCFullYear() + steps + 1)]
  if (unit === 'day') return daysFrom(today, steps, 1)
  const monday = plusDays(today, 7 * steps - ((today.getUTCDay() + 6) % 7))
  return unit === 'weekend' ? daysFrom(monday, 5, 2) : daysFrom(monday, 0, 7)
}

function wholeMonth(year: number, month: number): Days {
  return [utc(year, month), utc(year, month + 1)]
}

function oneDay(year: string | number | undefined, month: number, day: string | undefined): Days {
  return daysFrom(utc(Number(year), month, Number(day)), 0, 1)
}

function daysFrom(day: Date, steps: number, length: number): Days {
  return [plusDays(day, steps), plusDays(day, steps + length)]
}

function plusDays(day: Date, count: number): Date {
  return new Date(day.getTime() + count * DAY_MS)
}

function utc(year: number, month = 0, day = 1): Date {
  return new Date(Date.UTC(year, month, day))
}

function monthOf(name = ''): number {
  return MONTHS.indexOf(name.slice(0, 3))
}

function countOf(word = ''): number {
  return /^\d/.test(word) ? Number(word) : Math.max(COUNTS.indexOf(word), 1)
}
