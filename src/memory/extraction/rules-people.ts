import { type Known, OWNER } from './facts.ts'

/** Who is spoken of: kin, friends, animals and people with a role, their names, and whom a pronoun means. */

const KIN = `wife|husband|spouse|partner|other half|girlfriend|boyfriend|fianc[eé]e?|ex(?:[- ](?:wife|husband|partner|girlfriend|boyfriend))?
|mother|father|mum|mom|mam|mama|dad|papa|step(?:mother|father|mum|mom|dad|son|daughter|brother|sister)|parents?
|sisters?|brothers?|siblings?|twin|twins|sons?|daughters?|child|children|kids?|baby|toddler|boy|girl
|aunt|auntie|uncle|cousins?|nieces?|nephews?|gran|granny|nan|nana|grandma|grandpa|grandad|granddad|grand(?:mother|father|son|daughter|parents|kids)s?
|(?:mother|father|sister|brother|son|daughter|mum|dad)[- ]in[- ]law|in[- ]laws|god(?:son|daughter|mother|father|child)`
const FRIENDS = `(?:best )?(?:friend|mate|buddy|pal|bestie)s?|flat ?mates?|room ?mates?|house ?mates?|neighbou?rs?|colleagues?|co-?workers?|team ?mates?|pen ?pal`
const ROLES = `boss|manager|supervisor|mentor|assistant|landlord|landlady|tenants?|dentist|doctor|gp|physio(?:therapist)?|therapist|psychologist
|counsellor|cardiologist|dermatologist|optician|vet|surgeon|midwife|nurse|trainer|personal trainer|pt|coach|instructor|teacher|tutor|professor|supervisor
|lawyer|solicitor|accountant|agent|team ?lead|head of department|headteacher|client|cleaner|gardener|nanny|babysitter|sitter|childminder|au pair|hairdresser|barber|mechanic|plumber|electrician|executor|supplier|clients?|customers?|apprentice`
const ANIMALS = `dogs?|cats?|puppy|kitten|horse|pony|rabbits?|hamster|parrot|budgie|tortoise|turtle|goat|hens?|chickens?|fish|snake|lizard|guinea pigs?|labrador|spaniel|terrier|poodle|collie`
const plain = (words: string) => words.replace(/\s*\n\s*/g, '')
/** Somebody or some animal that the owner has. */
export const RELATION = plain(`${KIN}|${FRIENDS}|${ROLES}|${ANIMALS}`)
const NAME = `(?:(?:Dr|Mr|Mrs|Ms|Prof)\\.?\\s)?\\p{Lu}[\\p{L}'’-]+(?:\\s(?:de\\s|van\\s|von\\s)?\\p{Lu}[\\p{L}'’-]*)?`
const NAMES = `${NAME}(?:(?:,\\s|\\sand\\s|\\s&\\s)${NAME})*`

/** Somebody with a name, and what they are to the owner; the name may be missing. */
export interface Person {
  name: string | null
  relation: string
  /** Where they were spoken of. */
  at: number
  gender: 'he' | 'she' | 'they' | null
  /** Whether it says who they are: "my sister Ada", not "Ada". */
  introduced: boolean
}

const MY = `(?:[Mm]y|[Oo]ur|MY)\\s(?:(?:new|old|little|big|older|younger|elder|eldest|youngest|baby|dear|late|best|good|close|personal|therapist|twin|first|second|ex|former)\\s)*`
const INTRODUCTIONS: [RegExp, 'relation first' | 'name first'][] = [
  [
    new RegExp(
      `\\b(?:[Hh]ave|['’]ve(?: got)?|got|[Hh]ad)\\s(?:an?|two|three|four|\\d)\\s(?:\\p{Ll}+\\s)?(${RELATION})(?:,|\\scalled|\\snamed)\\s(${NAMES})`,
      'gu'
    ),
    'relation first'
  ],
  [
    new RegExp(`${MY}((?:${RELATION})['’]s\\s(?:${RELATION})),?\\s(?:is\\s)?\\(?(${NAMES})`, 'gu'),
    'relation first'
  ],
  [
    new RegExp(
      `\\b(?:[Tt]he|[Mm]y|[Oo]ur|[Aa])\\s(${RELATION})\\b[^.!?]{0,40}\\b(?:her|his|whose|their) name(?:['’]s|\\sis)\\s(${NAME})`,
      'gu'
    ),
    'relation first'
  ],
  [
    new RegExp(`${MY}(${RELATION}),?\\s(?:is\\s)?(?:called\\s|named\\s|is\\s)?\\(?(${NAMES})`, 'gu'),
    'relation first'
  ],
  [
    new RegExp(
      `(${NAME})(?:,\\s(?:my|our)\\s|\\s\\((?:my\\s|our\\s)?|\\sis\\s(?:my|our)\\s)(?:\\p{Ll}+\\s)?(${RELATION})\\b`,
      'gu'
    ),
    'name first'
  ],
  [
    new RegExp(
      `${MY}(?:(?:two|three|four)\\s)?(${RELATION})\\s(?:at|from|in|here in)\\s[\\p{L}\\s]{3,30},\\s(${NAMES})(?=[,.;!?]|$|\\s\\p{Ll})`,
      'gu'
    ),
    'relation first'
  ],
  [
    new RegExp(
      `\\b(?!(?:she|he|it|that|this|who|what|there|here|where|when|how)['’])(\\p{L}[\\p{L}-]{2,})['’]s\\s(?:my|our)\\s(?:\\p{Ll}+\\s)?(${RELATION})\\b(?!['’])`,
      'giu'
    ),
    'name first'
  ],
  [
    new RegExp(
      `(?:^|[,.;(]\\s?|\\b(?:[Aa]nd|[Ww]ith|[Ff]or|[Tt]o)\\s)((?:[Ww]ife|[Hh]usband|[Mm]um|[Mm]om|[Dd]ad|[Gg]ran|[Bb]oss|[Ee]xecutor)),?\\s\\(?(${NAME})`,
      'gu'
    ),
    'relation first'
  ]
]
const SHE =
  /wife|girlfriend|mother|mum|mom|mam|sister|daughter|aunt|niece|gran(?:ny)?$|nan|grandma|girl$|landlady|midwife/i
const HE =
  /husband|boyfriend|father|dad|papa|brother|son|uncle|nephew|grandpa|grandad|granddad|boy$|landlord/i
const MANY = /s$|twins|children|parents|in-laws/i
/** Words with a capital that are no names. */
const NO_NAMES =
  /^(?:I|I['’]\w+|The|A|An|And|But|So|Or|If|In|On|At|For|My|Our|We|He|She|They|It|Is|Are|Was|What|Who|How|Why|When|Where|Which|Can|Could|Would|Should|Do|Does|Did|Please|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|Christmas|Easter|Mr|Mrs|Ms|Dr|Yes|No|Not|Also|Now|This|That|There|Then|To|With|From|As)$/

const SOMEBODY = new RegExp(`\\b(?:${RELATION})\\b`, 'i')
const UNNAMED = new RegExp(`${MY}(${RELATION})\\b`, 'gu')

/** Everybody who is introduced in a text, in order. */
function findPeople(text: string): Person[] {
  if (!SOMEBODY.test(text)) return []
  const people: Person[] = []
  for (const [pattern, order] of INTRODUCTIONS) {
    for (const match of text.matchAll(pattern)) {
      const [first = '', second = ''] = match.slice(1)
      const [relation, name] = order === 'relation first' ? [first, second] : [second, first]
      const clean = cleanName(name)
      if (people.some(({ name: known }) => known === clean)) continue
      if (clean) people.push(personOf(clean, relation.toLowerCase(), match.index, true))
    }
  }
  // "my mum turns 70" names nobody and still says who she is.
  for (const match of text.matchAll(UNNAMED)) {
    if (people.some(({ at }) => Math.abs(at - match.index) < 3)) continue
    people.push(personOf(null, (match[1] ?? '').toLowerCase(), match.index, false))
  }
  return people.sort((a, b) => a.at - b.at)
}

function personOf(name: string | null, relation: string, at: number, introduced: boolean): Person {
  const many = MANY.test(relation) && relation !== 'boss' && relation !== 'spouse'
  const gender = many ? 'they' : SHE.test(relation) ? 'she' : HE.test(relation) ? 'he' : null
  return { name, relation, at, gender, introduced }
}

/** A name without what follows it by mistake; empty when it is none. */
function cleanName(name: string): string {
  const words = name.trim().split(/\s+/)
  const [first = ''] = words
  const isTitle = /^(?:Dr|Mr|Mrs|Ms|Prof)\.?$/.test(first) && words.length > 1
  if (!isTitle && NO_NAMES.test(first.replace(/[,’']\w*$/, ''))) return ''
  return words
    .join(' ')
    .replace(/['’]s$/, '')
    .replace(/['’]$/, '')
}

/** What a person is called in a statement about them: "Ada", or "my sister" where no name is known. */
export function callOf({ name, relation }: Person): string {
  return name ?? `my ${relation}`
}

/** The same with what they are to the owner, for the first statement about them. */
export function introductionOf(person: Person): string {
  const { name, relation, introduced } = person
  if (!introduced || !name) return callOf(person)
  return `my ${relation} ${name}`
}

/** The key by which statements about a person are compared. */
export function subjectOf({ name, relation }: Person): string {
  return (name ?? relation).toLowerCase()
}

/** Whom a pronoun means: the last one spoken of before it who can be meant. */
export function meantBy(pronoun: string, people: Person[], at: number): Person | null {
  const which = pronoun.toLowerCase()
  const wanted = /^she|^her/.test(which) ? 'she' : /^he|^his|^him/.test(which) ? 'he' : 'they'
  const fits = ({ gender, at: spoken }: Person) =>
    spoken < at && (gender === wanted || (gender === null && wanted !== 'they'))
  return people.findLast(fits) ?? null
}

/** Names with a capital in the middle of a text, such as brands, places and people. */
export function namesIn(text: string): string[] {
  const found = text.matchAll(/(?<![.!?]\s|^)\b\p{Lu}[\p{L}\p{N}'’-]+/gu)
  return [...found].map(([name]) => name.replace(/['’]s?$/, '')).filter((name) => !NO_NAMES.test(name))
}

const GROUP =
  /\b(?:kids|children|twins|nieces|nephews|parents|sisters|brothers|sons|daughters|boys|girls|tenants|flatmates|colleagues|friends|cats|dogs)\b/i
const NAMED_SUBJECT =
  /^(\p{Lu}\p{Ll}+)(?:['’]s)?\s(?:is|has|gets|can['’]?t|can|does|loves|hates|likes|only|never|always|still|plays|lives|works|sleeps|needs|takes|eats|collects|keeps|turns|\p{Ll}+s)\b/u
/** A place that was named before: what "there" means. */
const PLACE = /\b(?:in|at|to|near|from|around|via)\s((?:the\s)?\p{Lu}[\p{L}'’-]+(?:\s\p{Lu}[\p{L}'’-]+)*)/gu

/** A clause that begins with somebody's name, where people like that were spoken of. */
export function findNamedSubject(clause: string, before: string): Person | null {
  const name = NAMED_SUBJECT.exec(clause)?.[1]
  if (!name || NO_NAMES.test(name) || !GROUP.test(before)) return null
  return { name, relation: '', at: 0, gender: null, introduced: false }
}

/** "There" and "here" with the place that was named before them; null where none was. */
export function withPlace(clause: string, before: string): string | null {
  if (
    !/\b(?<!from )t?here\b/i.test(clause) ||
    /\bthere(?:['’]s| is| are| was| were)\b|\bt?here (?:in|at|on|near)\b/i.test(clause)
  )
    return clause
  const places = [...before.matchAll(PLACE)]
    .map(([, place]) => place ?? '')
    .filter((place) => !NO_NAMES.test(place))
  const place = places.at(-1) ?? /^(\p{Lu}[\p{L}'’-]+)\s(?:was|is|has)\b/u.exec(before.trim())?.[1]
  return place ? clause.replace(/\b(t?here)\b/i, `$1 (${place})`) : null
}

/** Everybody a sentence speaks of: introduced in it, or known by name or by what they are. */
export function peopleIn({ text, start }: { text: string; start: number }, known: Known[]): Person[] {
  const introduced = findPeople(text).map((person) => ({
    ...person,
    name: person.name ?? nameOf(person.relation, known),
    at: person.at + start
  }))
  const names = known.flatMap(({ subject }) => subject.split(/,\s| and | & /))
  const named = [...new Set(names)].flatMap((subject) => {
    const plain = subject.replace(/[^\p{L}\p{N}\s]/gu, '.')
    const at =
      subject === OWNER ? -1 : text.toLowerCase().search(new RegExp(`(?<![\\p{L}])${plain}(?![\\p{L}])`, 'u'))
    const name = text.slice(at, at + subject.length)
    if (at === -1 || !/^\p{Lu}/u.test(name) || introduced.some((person) => person.name === name)) return []
    return [{ name, relation: '', at: at + start, gender: null, introduced: false }]
  })
  const companions = [...text.matchAll(/\b(\p{Lu}\p{L}+) and I\b/gu)]
    .filter(
      ([, name = '']) => !NO_NAMES.test(name) && ![...introduced, ...named].some((one) => one.name === name)
    )
    .map((match) => ({ ...personOf(match[1] ?? '', '', match.index + start, false), gender: null }))
  return [...introduced, ...named, ...companions].sort((a, b) => a.at - b.at)
}

/** "My sister" is Ada, where the owner has spoken of one sister with a name. */
function nameOf(relation: string, known: Known[]): string | null {
  const subjects = new Set(known.filter((one) => one.relation === relation).map(({ subject }) => subject))
  const [subject = ''] = subjects
  if (subjects.size !== 1 || subject === relation || subject === OWNER) return null
  return subject.replace(/(?<![\p{L}'’])\p{Ll}/gu, (letter) => letter.toUpperCase())
}
