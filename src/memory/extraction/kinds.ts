/** What a statement is about: its category, the attribute it fills, and how much it matters. */

import type { Clause } from './grammar.ts'
import { RELATION } from './rules-people.ts'

export interface Kind {
  category: string
  slot: string | null
  importance: number
}

const kind = (category: string, importance: number, slot: string | null = null): Kind => ({
  category,
  slot,
  importance
})
const words = (list: string) => new Set(list.split(/\s+/))

/** Told by the owner of themselves, whatever the verb. First match wins. */
const BY_WORDS: [RegExp, Kind][] = [
  [/\bmy (?:full |last |first )?name(?:['’]s| is|:)/i, kind('identity', 0.9, 'name')],
  [
    /\b(?:call me|i go by|i(?:['’]m| am) called|(?:nobody|everyone) calls me|my nickname)\b/i,
    kind('identity', 0.9, 'nickname')
  ],
  [/\b(?:my birthday|i was born on|my date of birth)\b/i, kind('identity', 0.9, 'birthday')],
  [/\bi was born in\b/i, kind('identity', 0.9, 'birthplace')],
  [
    /\b(?:my pronouns|i(?:['’]m| am)(?: now)? \d+ years old|i turn(?:ed)? \d\d|i(?:['’]m| am) \d\d(?=[.,!]|$| and\b))/i,
    kind('identity', 0.9, 'age')
  ],
  [
    /\bblood (?:group|type)\b|\b(?:i(?:['’]m| am)) (?:a|b|ab|o)[- ](?:neg|pos|rh)/i,
    kind('health', 0.9, 'blood group')
  ],
  [
    /\bmy (?:new )?(?:mobile |cell |phone |telephone )?number\b.*(?:['’]s| is)|\bmy (?:new )?(?:mobile|cell|phone) is \+?\d/i,
    kind('contact', 0.8, 'phone')
  ],
  [/\bmy (?:new )?e-?mail\b.* is\b/i, kind('contact', 0.8, 'email')],
  [/\bmy (?:new |home |postal )?address is/i, kind('contact', 0.8, 'address')],
  [/\ballerg\w+|\bintoleran\w+/i, kind('health', 0.95, 'allergy')],
  [
    /(?:\b(?:am|is|are|turned|become|became|went|gone|been)|['’](?:m|re|s))\s(?:\w+\s){0,2}(?:vegan|vegetarian|pescatarian|pescetarian|veggie|teetotal|keto|halal|kosher|gluten.free|dairy.free)\b/i,
    kind('health', 0.8, 'diet')
  ],
  [
    /\b(?:diabet\w*|asthma\w*|epilep\w*|coeliac|celiac|migraines?|arthritis|adhd|autis\w*|dyslexi\w*|eczema|hay ?fever|pregnant|insomnia\w*|anaemi\w*|surgery|operated|operation|diagnos\w+|medication|tablets|insulin|phobia|wheelchair|hearing aids?|blood pressure|knee|hip|therap\w+|remission|dementia|colou?r-?blind|deaf|stammer|sober|anxiety|depression|\w+(?:formin|statin|pril|oxetine|zepam|cillin|thyroxine))\b/i,
    kind('health', 0.85, 'health')
  ],
  [
    /\b(?:rent|salary|mortgage|pension|savings|debt)\b.*\d|\b(?:saving|save) (?:up )?for\b|[£$€]\s?\d.*\b(?:a|per|every|each) (?:month|year|week|hour)\b/i,
    kind('money', 0.6, 'money')
  ],
  [
    /\b(?:single|married|divorced|separated|engaged|widow\w*|child-?free)\b|\b(?:broke|split) up\b|\btogether (?:since|for)\b/i,
    kind('relationship', 0.8, 'marital status')
  ],
  [/\b(?:the|my|our) new (?:place|flat|house|home|apartment)\b/i, kind('place', 0.8, 'home')],
  [
    /\bfirst (?:day|week|month|shift) (?:\w+ing )?(?:at|in|as|with|for)\b|\b(?:the|my) new (?:job|office|employer|company)\b/i,
    kind('work', 0.75, 'employer')
  ],
  [/\bmy (?:\w+ ){1,3}(?:is|:) [A-Z]{0,3}\d{3,}\b/i, kind('fact', 0.7)],
  [/\bfavou?rite\b|\bmy thing\b/i, kind('preference', 0.65, 'likes')]
]

/** By the verb: what people do says what it is about. */
const BY_VERB: [Set<string>, Kind][] = [
  [words('live reside settle move relocate base'), kind('place', 0.8, 'home')],
  [words('work join employ hire freelance intern'), kind('work', 0.75, 'employer')],
  [
    words('teach coach manage lead chair organise organize volunteer train retrain retire retrain'),
    kind('work', 0.7)
  ],
  [words('study graduate major enrol enroll qualify'), kind('education', 0.7, 'study')],
  [words('speak'), kind('skill', 0.6, 'skill')],
  [words('hate dislike detest loathe avoid'), kind('preference', 0.6, 'dislikes')],
  [words('like love enjoy prefer adore'), kind('preference', 0.6, 'likes')],
  [words('eat drink smoke'), kind('health', 0.6, 'diet habit')],
  [
    words(
      'play swim run cycle ski climb dance row hike knit sew paint draw bake garden fish sail surf ride box skate jog collect practise practice sing read'
    ),
    kind('hobby', 0.55, 'hobby')
  ],
  [
    words('have own drive use wear buy get sell adopt inherit cancel swap switch replace subscribe keep'),
    kind('possession', 0.5, 'possession')
  ],
  [words('go fly travel leave visit head plan start host expect book'), kind('plan', 0.5, 'plan')]
]
const COMMUTE = /\b(?:to|for) (?:work|school|uni|university|college|the office)\b/i
const COMMUTING = words('take catch walk drive cycle bike run commute travel ride')
const HAVING = words('have own keep get')
const REFUSING = /(?:n['’]t|\bnot|\bnever|\bno longer|\bcannot)\b/i
const DATED =
  /\b(?:\d|tomorrow|tonight|next|easter|christmas|xmas|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|april|june|july|august|september|october|november|december)/i
const REPEATED = /\b(?:every|each)\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days\b/i
const ROLE =
  /\b(?:am|['’]m|are|['’]re|as) (?:\w+ )?(?:an?|the) [\w\s-]*\b(?:\w{3,}(?:er|or|ist|ian|ant|yst)|nurse|student|coach|chef|vet|intern|apprentice|trainee|secretary|clerk|mum|mom|dad|pilot|cook)\b/i
const SHIFT = /\b(?:shifts?|job|boss|colleagues?) (?:at|for) (?:the )?\p{Lu}/u
const AT_FIRM = /\b(?:at|for|with) (?:the )?\p{Lu}/u
const ORIGIN = /\b(?:am|['’]m) (?:originally )?from\b|\bgrew up in\b/i
const AT_HOME = /\b(?:am|['’]m|are|['’]re) (?:now |here |still )?(?:in|at) (?:\d|\p{Lu}(?!.*\d))/u
const KIN = new RegExp(`\\b(?:${RELATION})\\b`, 'i')
/** "My favourite film is …" has one answer at a time; "one of my favourite films" has not. */
const FAVOURITE =
  /(?<!\bone of )\b(?:my|our|his|her|['’]s) (?:\w+ )?fav(?:ou?rite|e)? ((?!one\b|things?\b)\p{L}{3,}(?<!s))\b/iu
const AGED =
  /(?:\b(?:is|turned|turns|turning)|['’]s) (?:now |already |only |just )?\d{1,2}(?=[.,!;)]|$| (?:and|now|so|but|next|this|today|years?|yrs?)\b)/i
const SCHOOL_YEAR =
  /\b(?:in|into|starts?|started|starting) (?:year|grade|class|form) (?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen)\b|\b\d{1,2}(?:st|nd|rd|th) grade\b/i
const AT_WORKPLACE =
  /^i(?:['’]?m| am) (?:\w+ )?(?:at|in|with) (?:an?|the) (?:[\w-]+ ){0,2}(?:centre|center|office|shop|hospital|firm|company|warehouse|factory|bank|agency|restaurant|bakery|clinic|nursery|salon|garage|start-?up) (?:for|in|called|near)\b/i

const OF_OTHERS = kind('relationship', 0.6)
const THING = kind('fact', 0.5)

/** The kind of a clause about the owner, or about somebody else of theirs. */
export function kindOf(clause: Clause, text: string, own: boolean): Kind {
  const { verb, auxiliaries } = clause
  const lemma = verb?.lemma ?? auxiliaries.at(-1)?.lemma ?? ''
  const named = BY_WORDS.find(([pattern]) => pattern.test(text))?.[1]
  const favourite = FAVOURITE.exec(text)?.[1]
  if (favourite)
    return kind(own ? 'preference' : 'relationship', 0.65, `favourite ${favourite.toLowerCase()}`)
  if (!own) return ofSomebody(named, lemma, text)
  if (named) return named
  if (SCHOOL_YEAR.test(text)) return kind('education', 0.7, 'school year')
  if (AT_WORKPLACE.test(text)) return kind('work', 0.75, 'employer')
  if (ORIGIN.test(text)) return kind('identity', 0.7, 'origin')
  if (COMMUTING.has(lemma) && COMMUTE.test(text)) return kind('habit', 0.5, 'commute')
  if (ROLE.test(text) || SHIFT.test(text)) return kind('work', 0.75, AT_FIRM.test(text) ? 'employer' : null)
  if (HAVING.has(lemma) && KIN.test(text)) return kind('relationship', 0.75, 'family')
  if (AT_HOME.test(text)) return kind('place', 0.8, 'home')
  const found = BY_VERB.find(([verbs]) => verbs.has(lemma))?.[1]
  if (found?.slot === 'likes' && REFUSING.test(text)) return { ...found, slot: 'dislikes' }
  // What a thing of the owner's has is not the owner's possession.
  if (found?.category === 'possession' && /^(?:my|our)\b/i.test(text)) return THING
  if (found?.slot === 'plan' && !DATED.test(text)) return THING
  if (found) return found
  if (REPEATED.test(text)) return kind('habit', 0.5, 'habit')
  return verb?.lower.endsWith('ing') && DATED.test(text) ? kind('plan', 0.5, 'plan') : THING
}

function ofSomebody(named: Kind | undefined, lemma: string, text: string): Kind {
  if (named?.category === 'health') return named
  if (AGED.test(text)) return { ...OF_OTHERS, importance: 0.75, slot: 'age' }
  if (SCHOOL_YEAR.test(text)) return { ...OF_OTHERS, importance: 0.65, slot: 'school year' }
  if (/\b(?:birthday|born|turn(?:s|ed|ing)? \d+|years? old)\b/i.test(text))
    return { ...OF_OTHERS, importance: 0.75 }
  const found = BY_VERB.find(([verbs]) => verbs.has(lemma))?.[1]
  const slot = found?.slot ?? null
  if (slot === 'employer' || found?.category === 'work') return { ...OF_OTHERS, importance: 0.7, slot: 'job' }
  if (slot === 'home' || slot === 'likes' || slot === 'dislikes')
    return { ...OF_OTHERS, importance: 0.65, slot }
  return OF_OTHERS
}
