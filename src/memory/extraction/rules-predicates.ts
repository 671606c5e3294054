import { RELATION } from './rules-people.ts'

/** What a statement is about: its category, the attribute it fills, and how much it matters. */
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

/** Adverbs that may stand between a subject and its verb. */
const ADVERBS = `(?:(?:just|now|also|really|still|currently|only|usually|mostly|mainly|always|never|actually|finally|recently|already|both|all|once|long since|do|absolutely|officially)\\s)*`
const I = `\\b(?:i|we)\\s${ADVERBS}`
const AM = `\\b(?:i(?:['’]m| am)|im|we(?:['’]re| are))\\s${ADVERBS}(?:a bit |quite |very )?`
const HAVE = `\\b(?:i|we)(?:['’]ve(?: got)?| have(?: got)?|ve got| got| own| keep)\\s${ADVERBS}`
const WENT = `\\b(?:i|we)(?:['’]ve| have|ve)?\\s${ADVERBS}`
const DATE_WORD = `(?:\\d|tomorrow|tonight|next|this|on|in|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|easter|christmas|xmas)`
const rule = (pattern: string, of: Kind): [RegExp, Kind] => [
  new RegExp(pattern.replace(/\n\s*/g, ''), 'i'),
  of
]

const DIET = kind('health', 0.8, 'diet')
const ABSTAINS = kind('health', 0.8, 'diet habit')
const HEALTH = kind('health', 0.85, 'health')
const LIKES = kind('preference', 0.6, 'likes')
const DISLIKES = kind('preference', 0.6, 'dislikes')
const HOME = kind('place', 0.8, 'home')
const WORK = kind('work', 0.75, 'employer')
const JOB = kind('work', 0.75)
const PLACE = kind('place', 0.7)
const OWNS = kind('possession', 0.5, 'possession')
const HOBBY = kind('hobby', 0.55, 'hobby')
const PLAN = kind('plan', 0.5, 'plan')
const FAMILY = kind('relationship', 0.75, 'family')
const MONEY = kind('money', 0.6, 'money')

/** What the owner says of themselves, first match wins. */
const OWN: [RegExp, Kind][] = [
  rule(
    `\\b(?:my (?:full |last |first )?name(?:['’]s| is)|my (?:full |last |first )?name:)`,
    kind('identity', 0.9, 'name')
  ),
  rule(
    `\\b(?:call me|i go by|i(?:['’]m| am) called|nobody calls me|everyone calls me|my nickname)\\b`,
    kind('identity', 0.9, 'nickname')
  ),
  rule(`\\b(?:my birthday|i was born on|my date of birth)\\b`, kind('identity', 0.9, 'birthday')),
  rule(`\\bi was born in\\b`, kind('identity', 0.9, 'birthplace')),
  rule(
    `\\b(?:my pronouns|years old\\b|i turn(?:ed)? \\d\\d|i(?:['’]m| am) \\d\\d(?!\\s?(?:%|min|km|kg|cm|hours?|days?|weeks?|miles|minutes)))`,
    kind('identity', 0.9, 'age')
  ),
  rule(`\\bmy blood (?:group|type)|${AM}(?:a|b|ab|o)[- ](?:neg|pos|rh)`, kind('health', 0.9, 'blood group')),
  rule(
    `\\bmy (?:new )?(?:mobile |cell |phone |telephone )?number(?: \\w+){0,3}(?:['’]s| is)|\\bmy (?:new )?(?:mobile|cell|phone) is \\+?\\d`,
    kind('contact', 0.8, 'phone')
  ),
  rule(`\\bmy (?:new )?(?:e-?mail)(?: address)?(?: \\w+){0,2} is`, kind('contact', 0.8, 'email')),
  rule(`\\bmy (?:new |home |postal )?address is`, kind('contact', 0.8, 'address')),
  rule(
    `${AM}(?:not )?(?:severely |badly |mildly )?(?:allergic|intolerant|lactose|gluten)|\\bmy \\w* ?allerg|\\b(?:give|gives) me an allergic|\\ballergy to|${HAVE}(?:an? )?(?:\\w+ )?(?:allergy|intolerance)`,
    kind('health', 0.95, 'allergy')
  ),
  rule(
    `${AM}(?:an? )?(?:strict )?(?:vegan|vegetarian|pescatarian|pescetarian|veggie|teetotal|keto|halal|kosher|muslim|jewish)`,
    DIET
  ),
  rule(
    `${I}(?:(?:do not|don['’]?t|no longer|never|can['’]?t|cannot|stopped|quit|gave up|have given up) )(?:eat(?:ing)?|drink(?:ing)?|smok(?:e|ing)|touch)\\b|${WENT}(?:gave|given) up (?!on|and)\\w+|${WENT}quit (?:smok|drink|sugar|coffee|alcohol|meat)|\\b(?:i|we)(?:['’]ve| have|ve) been (?:sober|clean|teetotal|vegan|vegetarian|smoke-?free)\\b|${AM}off (?:milk|meat|sugar|dairy|alcohol|coffee|gluten|carbs)|\\boff (?:milk|dairy|gluten|sugar|meat|alcohol) since`,
    ABSTAINS
  ),
  rule(`\\b(?:it['’]s been|switched to|only|just) \\w+ for me since`, ABSTAINS),
  rule(
    `${I}(?:do not|don['’]?t|never|can['’]?t|cannot|can ?not|no longer)\\s(?:really |even |ever )?(?:drive|swim|run|cycle|fly|ride|read|cook|speak|wear|use|own|work|have|do|smoke|bike|climb|ski|dance|sing|see|hear|walk)\\b`,
    kind('fact', 0.6, 'habit')
  ),
  rule(
    `\\b(?:i|we) (?:get|have|suffer from) (?:\\w+ )?(?:migraines?|hay ?fever|panic attacks|back pain|seizures|nosebleeds)\\b|${AM}(?:diabetic|pregnant|asthmatic|epileptic|dyslexic|autistic|deaf|blind|colou?r-?blind|short-?sighted|coeliac|celiac|expecting|in remission|anaemic|insomniac|adhd)\\b|\\b(?:i|we) (?:was|were|got|have been|['’]ve been|been) diagnosed|${HAVE}(?:been diagnosed|an? )?(?:\\w+ )?(?:diabetes|asthma|epilepsy|migraines?|arthritis|adhd|eczema|celiac|coeliac|hay ?fever|pacemaker|hearing aids?|high blood pressure|slipped disc|bad back|bad knee|stammer|tinnitus|anxiety|insomnia|dyslexia)`,
    HEALTH
  ),
  rule(
    `\\b(?:hearing aids?|on (?:metformin|insulin|warfarin|statins|antidepressants|blood thinners|\\w+(?:pril|statin|formin|oxetine|zepam|olol))|terrified of|scared of|phobia|slipped disc|surgery in|was operated|got operated|${WENT}(?:broke|broken|sprained|tore|torn|fractured) (?:my|an?)|stammer|stutter|levothyroxine|insulin)\\b`,
    HEALTH
  ),
  rule(
    `${I}take (?!the (?:bus|train|tram|tube|metro)|a (?:look|break|seat)|it\\b|care|notes?\\b|this|that|them)(?:my )?(?:[a-z]+(?:in|ine|ol|ide|ate|pril|statin|cillin|xine|formin|zole|am)|\\d+ ?mg|pills?|tablets?|medication|meds)\\b`,
    HEALTH
  ),
  rule(
    `${I}(?:live|reside)\\b|\\b(?:i|we)(?:['’]ve| have|ve) (?:\\w+ )?lived\\b|${AM}(?:based|living|settled|located) (?:in|at|near|on|here)|${WENT}(?:just )?(?:moved|relocated)\\s(?:back )?(?:to|in|into|here|house|from)\\b|${WENT}moved here|\\bmoved to\\b.*\\bnow\\b|\\b(?:i['’]?m|we['’]?re) in (?!an?\\b|the\\b|my\\b|bed|it\\b)[\\w\\s]{2,20} now\\b|\\b(?:i['’]?m|we['’]?re) now in (?!an?\\b|the\\b|my\\b)\\w|\\bin the new (?:place|flat|house|home)\\b|\\bmy (?:own )?boxes are|${AM}in (?:an? )(?:flat ?share|house ?share|studio|shared)|${WENT}signed for an? (?:[\\w-]+ ){0,2}(?:studio|flat|apartment|house|place)|\\b(?:our|my) (?:\\w+ )?(?:flat|house|home|apartment|place|cottage|bungalow) (?:is )?(?:here )?(?:in|on|near)\\b|\\b(?:i['’]m|we['’]re) (?:here )?in \\p{Lu}\\p{L}+(?!.*\\d)`,
    HOME
  ),
  rule(
    `${WENT}(?:bought|purchased|rented?)\\s(?:an? |our |my |the )?(?:[\\w-]+ ){0,3}(?:house|flat|apartment|studio|semi|cottage|bungalow|farm|home|place|condo|terrace)\\b|\\bi rent out|\\b(?:i|we) stay put`,
    PLACE
  ),
  rule(
    `${AM}(?:originally )?from\\b|${AM}(?:not )?(?:agnostic|(?:an )?atheist|christian|catholic|protestant|buddhist|hindu|sikh|religious)\\b|${AM}(?:not )?(?:half |part )?(?:\\w+(?:[^l]ish|nese|ian|iot|ican)|dutch|french|german|greek|swiss|thai|czech|welsh|iraqi|israeli)\\b`,
    kind('identity', 0.7, 'origin')
  ),
  rule(
    `${I}(?:work|worked|am employed|was hired|got hired)\\s(?:there|for|at|as|in|with|on|from|near|nights?|days|part|full)\\b|${WENT}(?:joined|start(?:ed|ing)?|left|got a job|accepted)\\s(?:work(?:ing)? |a job |a new job |my (?:new )?job |as |at )|\\b(?:i|we) start(?:ed)? (?:as|at|on|my|a|work|the)\\b|${AM}(?:now )?(?:at|with) (?!the (?:moment|airport|station|doctor|shop)|home|a\\b|my\\b)\\w+.*\\b(?:since|now)\\b|\\bmy (?:new )?(?:job|employer|company|workplace)\\b`,
    WORK
  ),
  rule(
    `\\bfrom (?:the|my) (?:\\w+ )?job\\b|${I}(?:get|earn|make|bring home)\\s(?:about |around )?[£$€]?\\d[\\d.,k]* ?(?:a|per|every|each|euros?|pounds?|gbp|usd|eur)|\\b(?:my )?(?:rent|salary|mortgage|pension) is\\b|${AM}saving (?:up )?for`,
    MONEY
  ),
  rule(
    `${AM}(?:an? |the )(?!bit|fan|little|lot|mess|wreck|idiot|genius|disaster|big fan)(?:[\\w'’-]+ ){0,4}(?:\\w+(?:er|or|ist|ian|ant|ent|yst|man|woman|ess|eer|ect|ef)|nurse|student|coach|judge|chef|vet|doctor|teacher|attorney|intern|apprentice|trainee|secretary|treasurer|freelancer|mum|mom|dad|widow|widower|beekeeper|pilot|captain|clerk|pastor|priest|monk|nun|host|cook|baker|guide|smith|au pair)\\b|${AM}(?:not (?:the |an? )[\\w-]+,? that|(?:not )?retired|self-employed|unemployed|between jobs|on (?:a )?sabbatical|the \\w+ manager|on (?:maternity|paternity|parental) leave|freelance)`,
    JOB
  ),
  rule(
    `${I}(?:teach|coach|run|manage|lead|chair|organi[sz]e|volunteer|take the minutes|edit|own|co-own|rent out|breed|grow|raise|train)\\s(?!out|into|late|away|low|it|this|that|the risk|errands|a(?:n)? (?:bath|test|script|query|command))\\b|${AM}(?:training|studying|learning|apprenticed|doing|defending|retraining)\\s(?!it|this|that|fine|well|ok|good|the same)`,
    JOB
  ),
  rule(
    `${WENT}(?:finished|completed|got|did|passed|failed|defended|started|dropped out of)\\s(?:my|an?|the) (?:\\w+ )?(?:driving test|licen[cs]e|ma|ba|bsc|msc|mba|phd|degree|master['’]?s?|bachelor['’]?s?|doctorate|diploma|course|studies|exams?|thesis|apprenticeship)\\b|${I}(?:study|studied|graduated|major)\\b`,
    kind('education', 0.7, 'study')
  ),
  rule(
    `${I}(?:speak|learned|learnt|know how to|can speak)\\b|${AM}(?:fluent|bilingual|left-handed|right-handed)`,
    kind('skill', 0.6, 'skill')
  ),
  rule(
    `${WENT}(?:just )?had (?:twins|triplets|a baby|a boy|a girl|our (?:first|second|third)|my (?:first|second|third))\\b|${AM}(?:single|married|divorced|separated|engaged|widowed|a widow|a widower|getting married|getting divorced|child-?free|childless)\\b|\\b(?:are|we['’]re|were|aren['’]?t|broke up|split up|got|getting) (?:together|married|engaged|divorced|separated|not together)\\b|\\bbroke up\\b|\\bsplit up\\b`,
    kind('relationship', 0.8, 'marital status')
  ),
  rule(
    `${HAVE}(?:an? |the |my |our |two |three |four |five |six |no |\\d+ )?(?:new |old |little |big |lovely |small )?(?:[\\w-]+ )?(?:${RELATION})\\b|\\bi don['’]?t have (?:any )?(?:children|kids|siblings|pets)`,
    FAMILY
  ),
  rule(`\\bmy favou?rite\\b`, LIKES),
  rule(
    `${I}(?:do not|don['’]?t|can['’]?t|cannot) (?:really )?(?:like|stand|bear|enjoy|care for)\\b|${I}(?:hate|dislike|detest|loathe|avoid)\\b`,
    DISLIKES
  ),
  rule(
    `${I}(?:like|love|enjoy|prefer|adore)\\b|${I}take (?:my|our) (?:coffee|tea)\\b|${AM}(?:mad about|obsessed with|into|a (?:big |huge )?fan of|keen on|crazy about|fond of)\\b|\\b(?:is|are) my thing\\b|${I}only (?:eat|drink|wear|read|buy|use|listen|watch|cycle|run|swim|cook|travel|fly)\\b`,
    LIKES
  ),
  rule(
    `${I}(?:drink|eat)\\s(?:about |around |at least |only )?(?:\\w+ )?(?:cups?|\\w+ (?:a|per|every|each) (?:day|week|morning))|${I}(?:drink|eat) (?:\\w+ ){0,4}(?:a|per|every|each) (?:day|week|morning)`,
    kind('habit', 0.5, 'diet habit')
  ),
  rule(
    `${I}(?:swim|run|cycle|ski|climb|dance|row|hike|knit|sew|paint|draw|bake|garden|fish|sail|surf|ride|box|skate|bike|jog|walk|collect|practise|practice|do yoga|do pilates)\\b(?!\\s(?:to|into|out|away|the risk|late|low|a bath|it))|${WENT}(?:joined|signed up for|took up|taken up|started)\\s(?:an? |the )?(?:[\\w-]+ ){0,2}(?:club|choir|class|classes|gym|team|band|group|league|course|orchestra|society|lessons)|\\b(?:i|we) play(?:ing)?\\b(?! (?:with the idea|along))|${AM}playing\\b|${AM}in (?:the|an?) (?:[\\w-]+ ){0,2}(?:choir|band|club|team|orchestra|group|league|society|council)|\\b(?:i|we) (?:sing|belong to|go to|attend|compete|perform)\\b|${WENT}stopped going`,
    HOBBY
  ),
  rule(
    `${AM}writing (?:an? |my )(?:\\w+ )*(?:novel|book|thesis|memoir|play|screenplay|blog|dissertation)`,
    kind('project', 0.6, 'project')
  ),
  rule(
    `${I}(?:drive|ride|use|own|wear|play|subscribe to|shoot with|switched to|heat with|cook with)\\s(?!it\\b|this|that|to |you|them|me)(?:an? |the |my |our )?\\w`,
    OWNS
  ),
  rule(
    `${WENT}(?:bought|got|collected|picked up|sold|adopted|inherited|cancelled|canceled|swapped|switched|replaced|renamed|subscribed)\\s(?!\\d|some\\b|it\\b|this\\b|that\\b|this mail|to know|back|home|up|in|lost|stuck|tired|ready|used|rid|a (?:question|headache|cold|mail|message|letter|call|text)|your|you|the (?:mail|message|email|joke))`,
    OWNS
  ),
  rule(
    `${HAVE}(?:an? |the |my |our |two |three |four |some |\\d+ )(?!question|problem|issue|headache|cold|idea|meeting|call|presentation|deadline|lunch|dinner|tabs?\\b|files?\\b|minutes?|hours?|days?\\b|errors?|options?|feeling|moment|minute|guess|doubt|point|choice|clue|thing|lot|few|bit|look|go|chat|hard time|quick)(?=[\\w'’-])`,
    OWNS
  ),
  rule(
    `${AM}(?:going|flying|travell?ing|moving|leaving|off|heading|starting|getting|visiting|driving|taking|running|hosting|speaking|planning|expecting|away|back|out)\\b.*\\b${DATE_WORD}|\\b(?:i|we) (?:leave|fly|travel|move|start|go|arrive|begin|return|have to|run|get married)\\b.*\\b${DATE_WORD}|${AM}(?:off|going|flying|moving|travelling|traveling|relocating) to \\w`,
    PLAN
  ),
  rule(
    `\\b(?:i|we)['’]?(?:ll| will) (?:be )?(?:\\w+ )?.*\\b(?:tomorrow|next|on (?:the|mon|tue|wed|thu|fri|sat|sun)|in (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|two|three|\\d))`,
    PLAN
  )
]

const COMMUTE = new RegExp(
  `${I}(?:take|catch|walk|drive|cycle|bike|run|commute|travel|ride)\\b.*\\bto (?:work|school|uni|university|college|the office)\\b|${I}(?:take|catch) the (?:tram|bus|train|tube|metro|underground|subway|ferry) to\\b.*\\b(?:every|each)\\b`,
  'i'
)
/** A habit by how often it comes, whatever it is. */
const REPEATED = new RegExp(
  `${I}\\w+.*\\b(?:every|each) (?:other )?(?:day|week|morning|evening|night|month|year|spring|summer|autumn|winter|mon|tue|wed|thu|fri|sat|sun)`,
  'i'
)
/** A state with an end. */
const FOR_A_TIME = new RegExp(`${AM}(?:on|in|at|with|under|away)\\b.*\\b(?:for the next|until|till)\\b`, 'i')

/** What is said of somebody the owner knows, or of something that is theirs. */
const OTHERS: [RegExp, Kind][] = [
  rule(
    `\\b(?:allerg\\w*|intoleran\\w*|diabet\\w*|asthma\\w*|diagnosed|coeliac|celiac|vegan|vegetarian|hip|knee|surgery|operation|insulin|pregnant|carsick|dementia|sight|hearing|wheelchair|insomnia)\\b`,
    HEALTH
  ),
  rule(
    `\\b(?:born|birthday|turn(?:s|ed|ing)? \\d+|years? old|eighteenth|\\d+th birthday|is \\d+|she['’]s \\d+|he['’]s \\d+)\\b`,
    kind('relationship', 0.75)
  ),
  rule(`\\b(?:lives?|living|based|moved to|resides?)\\b`, kind('relationship', 0.7, 'home')),
  rule(
    `\\b(?:works?|working|teach(?:es)?|head chef|runs the|runs a|manager|engineer|teacher|nurse|doctor|accountant|retire\\w*|studies|studying|student|job|postman|chef)\\b`,
    kind('relationship', 0.7, 'job')
  ),
  rule(`\\b(?:hates?|can['’]?t stand|dislikes?)\\b`, kind('relationship', 0.65, 'dislikes')),
  rule(
    `\\b(?:likes?|loves?|into|mad about|obsessed|favou?rite|prefers?|fan|all about|collects?|keeps?|plays?|swims?|cycles?|knits?|paints?|dances?|sings?|only drinks?)\\b`,
    kind('relationship', 0.65, 'likes')
  ),
  rule(`\\b(?:charges?|an hour|per hour|price|costs?)\\b`, kind('money', 0.55, 'price')),
  rule(
    `\\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\\b|\\bevery (?:other )?(?:day|week|month|morning|evening)\\b`,
    kind('schedule', 0.55, 'schedule')
  )
]

export function kindOfOwn(clause: string): Kind | null {
  const found = OWN.find(([pattern]) => pattern.test(clause))?.[1]
  if (COMMUTE.test(clause)) return kind('habit', 0.5, 'commute')
  if (found) return found
  if (REPEATED.test(clause)) return kind('habit', 0.5, 'habit')
  return FOR_A_TIME.test(clause) ? PLAN : null
}

export function kindOfOther(clause: string): Kind {
  return OTHERS.find(([pattern]) => pattern.test(clause))?.[1] ?? kind('relationship', 0.6)
}
