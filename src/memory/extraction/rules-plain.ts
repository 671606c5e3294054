import { namesIn } from './rules-people.ts'
import type { Kind } from './rules-predicates.ts'
import { termsOf } from './sameness.ts'

/** Statements of any wording: whether one tells something that lasts, by what anchors it. */

/** How often, or for how long: what is said with it is no matter of the moment. */
const LASTING =
  /\b(?:every|each|twice|daily|weekly|monthly|yearly|nightly|(?:\d+|two|three|four|five|six) times|usually|mostly|mainly|normally|currently|these days|nowadays|(?:mon|tues|wednes|thurs|fri|satur|sun)days|(?:mon|tues|wednes|thurs|fri|satur|sun)days? (?:morning|afternoon|evening|night)s|(?:a|per) (?:day|week|month|year)|since (?:\d{4}|i was|we were|last|january|february|march|april|may|june|july|august|september|october|november|december|the (?:age|kids|birth|move))|for (?:\d+|two|three|four|five|six|ten|many|several|a few|almost|over|about|nearly) (?:\w+ )?(?:years|months|decades)|(?:all|whole) (?:my|our) li(?:fe|ves)|(?:my|our) whole li(?:fe|ves)|in my life|(?:19|20)\d\d|as a (?:kid|child|teenager)|for ages|for a living)\b/i
/** A figure that is part of a life: of a date, a sum, a measure. */
const FIGURE = /\d/
/** What a person is, has or has become, in the words that lives are told in. */
const LIFE =
  /^(?:i|we)(?:['’]ve| have)?\s(?:(?:just|finally|also|recently|already|both|only|still|now|do|actually)\s)*(?:own|keep|live|rent|study|teach|raise|grow|breed|belong|owe|earn|weigh|support|collect|share|suffer|speak|wear|drive|commute|volunteer|grew up|married|met|inherited|adopted|built|founded|opened|retired|graduated|qualified|trained|served|emigrated|enrolled|lost (?:my|our)|was (?:raised|brought up|born|adopted|diagnosed|promoted|laid off|made redundant|hired|elected|vegan|married)|were (?:raised|brought up|born|married)|got (?:the job|promoted|hired|fired|laid off|married|divorced|engaged|accepted|diagnosed|a (?:job|place|dog|cat|puppy|kitten)))\b/i
const NEVER =
  /^(?:i|we)(?:['’]ve| have)?\s(?:never|don['’]t|do not|can['’]t|cannot|won['’]t)\s(?:(?:ever|really|even|actually)\s)?(?:eat|drink|smoke|touch|own|drive|fly|swim|wear|use|have|had|learn\w*|watch|listen|play|celebrate|believe in|speak|ride|do|go to|vote|cook|gamble|read|been|set foot|tried)\b/i
/** Of this hour or day. */
const OF_THE_MOMENT =
  /\b(?:today|tonight|this (?:morning|afternoon|evening)|right now|at the moment|just now|yesterday|last night|(?:minutes?|hours?) ago|in (?:\d+|an?|five|ten) (?:min\w*|hours?)|earlier|so far|for now|again)\b/i
/** What one does while asking, thinks of it, or is about to do. */
const TALK =
  /^(?:i|we)(?:['’](?:m|re|ve|ll)| am| are| have| was| were| had)?\s(?:(?:just|also|really|still|only|always|never|actually|already|even|now|don['’]t|didn['’]t|can['’]t|can|not)\s)*(?:need|want|wonder|think|thought|guess|know|knew|mean|see|saw|ask|look|try|tried|forget|forgot|remember|hope|believe|feel|felt|understand|say|said|tell|told|promise|bet|agree|wait|worr|send|sent|write|wrote|read(?:ing)?\b|get it|got (?:a|an|the|this) (?:error|mail|email|message|letter|call|text|bill|quote|invite|invitation)|making|cooking|baking|preparing|getting|having|sitting|waiting|doing|working on|going to (?:try|do|ask|use|make|be)|about to|supposed|stuck|sure|sorry|afraid|here|back|done|off to bed|decide|choose|pick|figure|find|found|hear|heard|swear|talk|mention|start with|end up|ended up)/i
const PRESENTLY = /^(?:i['’]m|we['’]re|i am|we are) (?:\p{L}+ing|away|in|at)\b.*\d/iu
/** Does something to what only the talk knows. */
const TO_IT =
  /^(?:i|we)\b.*?\s(?!for\b|with\b|on\b|in\b|at\b|of\b|about\b|to\b|from\b|and\b)\p{L}+\s(?:it|everything|them)\b|\b(?:am|are|['’]m|['’]re) not \p{L}+ing\b/iu
/** Ends before it has said what. */
const CUT_OFF = /\b(?:is|am|are|was|do|does|did|has|have|can|will|not|too|either|to|of|with|in)[.!?)]*$/i
/** What something is to the owner: "sci-fi bores me", "tea is more my thing". */
const TO_ME =
  /\b(?:bores?|suits?|scares?|frightens?|terrif(?:ies|y)|relax(?:es)?|calms?|helps?|annoys?|keeps?|upsets?|triggers?|makes?|gives?) me\b(?!\s(?:a (?:hint|tip|list|break|call|shout)|the\b|some\b))|\b(?:is|are)(?:n['’]t)? (?:(?:more|so|not|really|totally|definitely|just|very much) )*my (?:thing|jam|cup of tea|favou?rites?|weakness|comfort)\b/i

/** What anchors a statement in a life: a name, a figure, how often, or since when. */
export function isAnchored(text: string): boolean {
  return LASTING.test(text) || FIGURE.test(text) || namesIn(text).length > 0
}

/** Breaks off in the middle, as "because my sister is" does. */
export function isCutOff(text: string): boolean {
  return CUT_OFF.test(text) && termsOf(text).length <= 3
}

/** The kind of what the owner says in words that no rule knows; null where nothing shows that it lasts. */
export function kindOfPlain(text: string): Kind | null {
  if (
    OF_THE_MOMENT.test(text) ||
    TALK.test(text) ||
    TO_IT.test(text) ||
    termsOf(text).length < 2 ||
    isCutOff(text)
  )
    return null
  if (NEVER.test(text)) return { category: 'habit', slot: 'habit', importance: 0.6 }
  if (LASTING.test(text)) return { category: 'habit', slot: 'habit', importance: 0.55 }
  if (PRESENTLY.test(text)) return { category: 'plan', slot: 'plan', importance: 0.5 }
  if (LIFE.test(text) || /^i finally\b/i.test(text) || isAnchored(text))
    return { category: 'fact', slot: null, importance: 0.55 }
  return null
}

/** What something is to the owner, whatever it is. */
export function isToOwner(text: string): boolean {
  return TO_ME.test(text) && !OF_THE_MOMENT.test(text) && termsOf(text).length > 1
}

const ELLIPTIC_STATE =
  /^(?:(?:still|currently|also|now|just|always)\s)*(?:holding|living|working|renting|driving|studying|teaching|raising|sharing|commuting|training|learning|volunteering|married|engaged|divorced|retired|allergic|intolerant|based)\s(?!it\b|this\b|that\b|them\b)/i
const ELLIPTIC_PLAN =
  /^(?:(?:still|also|now|just|probably)\s)*(?:going|flying|travell?ing|moving|visiting|leaving|driving|starting|running|heading)\s(?=.*(?:\d|\b(?:easter|christmas|mon|tues|wednes|thurs|fri|satur|sun)(?:day)?\b|\bnext\b|\b(?:in|on|until) (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)))/i

/** "Holding a Turkish passport" and "flying over for Easter" with who does; null: nobody is left out. */
export function withOwner(text: string): string | null {
  return ELLIPTIC_STATE.test(text) || ELLIPTIC_PLAN.test(text) ? `I'm ${text}` : null
}
