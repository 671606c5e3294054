const MONTHS = 'january|february|march|april|may|june|july|august|september|october|november|december'.split(
  '|'
)
const MONTH = `(${MONTHS.map((name) => `${name}|${name.slice(0, 3)}\\.?`).join('|')})`
const ISO = /\b(\d{4})-(\d\d)-(\d\d)\b/g
const DAY_FIRST = new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?(?: of)? ${MONTH},? (\\d{4})\\b`, 'gi')
const MONTH_FIRST = new RegExp(`\\b${MONTH} (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`, 'gi')
const MONTH_ALONE = new RegExp(`(?<!\\d(?:st|nd|rd|th)?(?: of)? )\\b${MONTH} (\\d{4})\\b`, 'gi')
/** A day that something begins on, or that comes again, does not end it. */
const OPEN =
  /\b(?:since|from|after|as of|starting|begin\w*|every|each|annual\w*|yearly|monthly|weekly|daily|until further)\b/i

/** The last day that a text names in full, at its start in UTC; null when it names none, or none that ends it. */
export function lastDayNamed(text: string): Date | null {
  if (OPEN.test(text)) return null
  const days = [
    ...found(ISO, text, ([, year, month, day]) => dayOf(year, Number(month) - 1, day)),
    ...found(DAY_FIRST, text, ([, day, month, year]) => dayOf(year, monthOf(month), day)),
    ...found(MONTH_FIRST, text, ([, month, day, year]) => dayOf(year, monthOf(month), day)),
    // The day before the first of the next month.
    ...found(MONTH_ALONE, text, ([, month, year]) => new Date(Date.UTC(Number(year), monthOf(month) + 1, 0)))
  ].filter((day) => day !== null)
  return days.length === 0 ? null : new Date(Math.max(...days.map((day) => day.getTime())))
}

function found(pattern: RegExp, text: string, toDay: (match: RegExpExecArray) => Date | null) {
  return Array.from(text.matchAll(pattern), toDay)
}

function monthOf(name = ''): number {
  return MONTHS.findIndex((month) => month.startsWith(name.toLowerCase().slice(0, 3)))
}

/** null for a day that no calendar has, such as 31 February. */
function dayOf(year: string | undefined, month: number, day: string | undefined): Date | null {
  const date = new Date(Date.UTC(Number(year), month, Number(day)))
  return date.getUTCMonth() === month && date.getUTCDate() === Number(day) ? date : null
}
