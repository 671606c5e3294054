import { type Ending, OWNER } from './facts.ts'
import { parseClause } from './grammar.ts'
import { RELATION } from './rules-people.ts'
import { isDenial, termsOf } from './sameness.ts'

/** What shows that something has changed: verbs of changing, and words that set now against before. */
const CHANGE =
  /\b(?:no longer|any ?more|instead|these days|nowadays|from now on|from here on|from next (?:week|month|year)|now|renamed?|re-?named|moved (?:to|from|my|the|out)|been moved|has been moved|swapped|switched|changed|replaced|rescheduled|postponed|pushed|push (?:it|everything|the)|brought forward|gone over to|handed over|took over|taken over|put (?:her|his|their|the|its|my|our) (?:price|rent)|traded|retrained|again|price up|sold|cancel(?:led|ed)|quit|left|gave up|given up|stopped|scrap(?:ped)?|ditched|hung up|turns out|turned out|retest|correction|used to|since (?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|last)|back on the menu|had a word|new (?:sim|number|job|place|flat|boss|name)|in charge of|done with|from (?:this|next) (?:week|month|year|term|season)|first (?:day|week|month) (?:\w+ing )?(?:at|in|as|with|for)|no more|unpacked)\b|['’]s out\b|\bis out\b/i

const OBJECT = `((?:(?!and\\b|but\\b|so\\b|to\\b|for\\b|from\\b|in\\b|at\\b|on\\b|with\\b|last\\b|this\\b|btw\\b|because\\b|since\\b|when\\b|years?\\b|too\\b|today\\b|yesterday\\b|it\\b|together\\b|ourselves\\b|a\\b|an\\b|by\\b|off\\b|out\\b|into\\b|of\\b|again\\b|by\\b)[\\p{L}\\p{N}+'’-]+\\s?){1,3})`
const THE = `(?:on |my |our |the |that |this |any |some |touch |touching |old |drinking |eating |going to (?:the )?|playing |doing |taking |using |working (?:at|for) (?:the )?)*`
const pattern = (text: string) => new RegExp(text, 'iu')
/** Each names in its first group what is over. */
const ENDINGS = [
  pattern(
    `\\b(?:sold|cancel(?:led|ed)|quit|scrap(?:ped)?|ditched|dropped|stopped|gave up|given up|got rid of|finished with|done with|unsubscribed from|deleted|closed|binned|returned|gave away|given away|donated|packed in|chucked(?: out)?|let go of|parted with|terminated|ended|said goodbye to|(?:never|no longer) (?:touch|touching|setting foot in))\\s${THE}${OBJECT}`
  ),
  pattern(`\\b(?:swapped|exchanged|traded|replaced)\\s${THE}${OBJECT}(?:in )?(?:for|with|by|against)\\b`),
  pattern(
    `\\b(?:switched|moved|changed|went|gone|converted)\\s(?:over )?from\\s${THE}${OBJECT}(?:to|over)\\b`
  ),
  pattern(
    `(?:^|[.,;]\\s|\\b(?:i|we|he|she|they)|['’]ve|\\bhave|\\bhas|['’]s|\\band)\\s?(?:just )?left\\s(?!the house|work early|home|it\\b|me\\b|my phone|a (?:note|message))${THE}${OBJECT}`
  ),
  pattern(`\\bthe\\s${OBJECT}\\s?thing (?:lasted|is over|is done|ended|didn['’]t)`),
  pattern(`(?:^|[.!,]\\s)${OBJECT}\\s?(?:was|were) \\w+ while (?:it|they) lasted`),
  pattern(
    `(?:^|[.!,;:?]\\s)${OBJECT}(?:['’]s| is| are)\\s(?:out|over|history|no more|done with|closed for good)(?=\\s*(?:[,.!;]|btw|$))`
  ),
  pattern(
    `\\bused to\\s(?:be |do |have |play |work (?:at|for) |live in |drive |drink |eat |use |go to )?${THE}${OBJECT}`
  ),
  pattern(
    `\\bno (?:more|longer) (?:have |has |use |uses |play |plays |do |does |eat |drink |drive |own |work (?:at|for) |live in |a |an )*${THE}${OBJECT}`
  ),
  pattern(
    `\\b(?:don['’]?t|doesn['’]?t|do not|does not|isn['’]?t|aren['’]?t|not)\\s(?:have |use |play |do |eat |drink |drive |own |work (?:at|for) |live in |go to |a |an )*${THE}${OBJECT}[^.!?]*\\bany ?more\\b`
  ),
  pattern(
    `\\bturns out (?:that )?(?:the |my )?${OBJECT}\\s?(?:test|results?|diagnosis|thing|scare)?\\s?(?:was|were|is|wasn['’]t)\\b`
  ),
  pattern(`\\b(?:not|n['’]t|without) a drop of ${OBJECT}`),
  pattern(`\\bthe last of ${THE}${OBJECT}`),
  pattern(`\\bthe buyer of (?:my |our |the )?${OBJECT}`),
  pattern(`\\bnot (?:one|a|a single) ${OBJECT}since\\b`),
  pattern(
    `(?:^|[.,;!]\\s|\\b(?:my|our|the) )(?:old )?${OBJECT}\\s?(?:died|broke down for good|went into the|got stolen|was stolen|has died|is dead|was written off|ran out|expired|closed down|shut down)\\b`
  ),
  pattern(
    `${OBJECT}\\s?(?:closes|closed|is closed|is closing)\\b[^.!?]*\\b(?:swapped|switched|moved|instead|changed)\\b`
  )
]
const BROKE_UP =
  /\b(?:aren['’]?t|are not|no longer|not) together\b|\b(?:broke|split) up\b|\b(?:are|got|getting|we['’]re) (?:divorced|separated)\b/i
const PARTNERS = [
  'girlfriend',
  'boyfriend',
  'partner',
  'wife',
  'husband',
  'fiance',
  'fiancee',
  'marry',
  'married'
]
const SOMEBODY = new RegExp(`\\b(?:${RELATION})\\b`, 'i')
const GONE =
  /\b(\p{Lu}[\p{L}'’-]+?)(?:['’]s| has| is|['’]ll be)?\s(?:last (?:day|week)|moved out|moved away|moved to|moving to|moving away|moving out|gone to|leaving|left|retired|retiring|quit|resigned|passed away|died)\b/u
const SUCCESSOR =
  /\b(?:so now|now\b|instead|in charge|handed over|took over|taken over|takes over|taking over|replac\w+|our new|my new|since)\b/i
/** Words that name nothing: what is over must be named. */
const VAGUE =
  /^(?:test|result|results|diagnosi|scare|it|that|this|thing|things|stuff|way|plan|idea|one|everything|something|work|day|time|week|year|month|job|place|new|old|same|people|me|sugar free|all|not|being|having|now|here|there)$/i

/** Who begins at a new place has left the old one. */
export function isNewJob(sentence: string): boolean {
  return /\b(?:first|1st) (?:day|week|month) (?:at|in|on) (?:the|my) new (?:place|job|company|office|firm|work|school)\b/i.test(
    sentence
  )
}

/** The words of a message that show a change; null: none do. */
export function findEvidence(text: string): string | null {
  return CHANGE.exec(text)?.[0] ?? null
}

/** What a passage says is over. `passage` is the sentence with what was said just before and after it. */
export function findEndings(sentence: string, passage: string): Ending[] {
  const endings: Ending[] = []
  for (const ending of ENDINGS) {
    const object = ending.exec(sentence)?.[1] ?? ''
    // Who is left, dropped or out is not over.
    const isLeft = SOMEBODY.test(object) && !/\bany ?more\b|\bno longer\b/i.test(sentence)
    const terms = isLeft ? [] : termsOf(object).filter((term) => !VAGUE.test(term))
    if (terms.length > 0) endings.push({ subject: null, terms })
  }
  if (BROKE_UP.test(sentence)) {
    const names = [...sentence.matchAll(/(?<!^)\b\p{Lu}\p{L}+|^\p{Lu}\p{L}+(?= and I\b)/gu)].map(
      ([name]) => name
    )
    const named = names.flatMap(termsOf).slice(0, 3)
    for (const name of named)
      for (const word of PARTNERS) endings.push({ subject: null, terms: [name, ...termsOf(word)] })
  }
  const gone = GONE.exec(sentence)?.[1]
  if (gone && SUCCESSOR.test(passage)) endings.push({ subject: gone.toLowerCase(), terms: termsOf(gone) })
  if (isNewJob(sentence)) endings.push({ subject: OWNER, terms: [], slots: ['employer', 'commute'] })
  return [...endings, ...findReturns(sentence)]
}

const WHAT = "((?:[\\p{L}'’-]+\\s){0,2}?[\\p{L}-]+)"
/** A thing with a new value: each names the thing in its first group. */
const NEW_VALUES = [
  pattern(
    `(?:^|[.,;!]\\s)(?:the |my |our )?${WHAT}(?:['’]s|\\sis|\\sare)\\s(?:now\\s)?(?:on |at |from |[£$€]?\\d).*\\b(?:now|instead|these days|from (?:now|next|the))\\b`
  ),
  pattern(
    `(?:^|[.,;!]\\s)(?:the |my |our )?${WHAT}(?:['’]s|\\s(?:is|are|has|have|was))\\s(?:now\\s|just\\s)?(?:been\\s)?(?:moved|pushed|shifted|rescheduled|postponed|changed|brought forward|put back|gone up|gone down|raised|increased)\\b`
  ),
  pattern(
    `\\b(?:put|moved|pushed|shifted|rescheduled|postponed|raised|increased|brought|changed)\\s(?:the|my|our)\\s${WHAT}\\s(?:up|to|forward|back|from|until|by)\\b`
  )
]
/** Somebody put an appointment on another day: which one, the rest of the sentence says. */
const PUT_OFF =
  /\b(?:put|moved|pushed|shifted|booked|rebooked|rescheduled) (?:me|us|it) (?:in |down )?(?:on|to|for|until)\b/i
const NOW =
  /\b(?:now|instead|these days|nowadays|from (?:now|today|tomorrow|tmrw|this|next)|starts?|moved to|changed to|switched to)\b/i
const WEEKDAY = /\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b/gi
/** What people do of many things. */
const EVERYDAY = new Set(
  termsOf(
    'play work live take make drink meet start train cycle drive walk visit morning evening afternoon night class lesson club moved changed switched instead together with team group'
  )
)
const VALUES: [NonNullable<Ending['value']>, RegExp][] = [
  ['weekday', /\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b/i],
  [
    'date',
    /\b\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\p{L}*\s\d{1,2}(?:st|nd|rd|th)?\b/iu
  ],
  ['amount', /[£$€]?\d[\d.,]*/],
  [
    'transport',
    /\b(?:bus|train|tram|metro|tube|subway|ferry|car|bike|bicycle|scooter|moped|on foot|walk|cycle|drive)\b/i
  ],
  [
    'name',
    /(?<=\S\s)(?:the )?(?!(?:I|Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)(?:day)?s?\b|(?:January|February|March|April|May|June|July|August|September|October|November|December)\b)\p{Lu}\p{L}{2,}/u
  ]
]

/** "Yoga's on Wednesdays now" ends what was said of yoga with another weekday, and nothing else of yoga. */
export function findNewValues(sentence: string): Ending[] {
  const value = VALUES.find(([, form]) => form.test(sentence))?.[0]
  if (!value) return []
  if (PUT_OFF.test(sentence)) {
    const named = termsOf(sentence.replace(PUT_OFF, ' ')).filter(
      (term) => term.length > 4 && !VAGUE.test(term) && !/\d/.test(term)
    )
    return named.slice(0, 6).map((term) => ({ subject: null, terms: [term], value }))
  }
  for (const form of NEW_VALUES) {
    const terms = termsOf(form.exec(sentence)?.[1] ?? '').filter((term) => !VAGUE.test(term))
    if (terms.length > 0) return [{ subject: null, terms, value }]
  }
  if (NOW.test(sentence) && !BESIDES.test(sentence)) {
    const nouns = parseClause(sentence).words.filter(({ part, lower }) => part === 'NOUN' && lower.length > 3)
    const telling = termsOf(
      nouns
        .map(({ lower }) => lower)
        .join(' ')
        .replace(WEEKDAY, ' ')
    ).filter((term) => term.length > 3 && !VAGUE.test(term) && !EVERYDAY.has(term))
    return telling.slice(0, 4).map((term) => ({ subject: null, terms: [term], value }))
  }
  return []
}

/** What comes besides replaces nothing. */
const BESIDES = /\b(?:also|too|as well|another|second|besides|both)\b/i

const RETURNS = [
  pattern(`\\b(?:started|back to|back on|took up|taken up|resumed)\\s${THE}${OBJECT}\\s?again\\b`),
  pattern(
    `\\b(?:i|we)\\s(?:do |can )?(?:eat|drink|use|play|have|go to|wear|drive|take)\\s${THE}${OBJECT}\\s?(?:again|these days)\\b`
  ),
  pattern(`(?:^|[.,;!]\\s|\\bso )${OBJECT}(?:['’]s| is)\\sback\\b`)
]

/** "Started drinking coffee again" ends what denied it. */
function findReturns(sentence: string): Ending[] {
  return RETURNS.flatMap((form) => {
    const terms = termsOf(form.exec(sentence)?.[1] ?? '').filter((term) => !VAGUE.test(term))
    return terms.length > 0 ? [{ subject: null, terms, denied: true }] : []
  })
}

/** Whether a memory is what an ending ends, by its form: another value of the kind, or a denial. */
export function fitsEnding(text: string, { value, denied }: Ending): boolean {
  if (denied) return isDenial(text)
  return !value || (VALUES.find(([kind]) => kind === value)?.[1].test(text) ?? false)
}
