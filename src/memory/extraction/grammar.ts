/** The parts of a clause, seen by a tagger of words: who it speaks of, its verb, and what it says of them. */

import { createRequire } from 'node:module'
import type WinkNlp from 'wink-nlp'
import type { ItsFunction, Model } from 'wink-nlp'

export interface Word {
  text: string
  lower: string
  lemma: string
  /** Its part of speech, as Universal Dependencies name them: NOUN, PROPN, VERB, AUX, … */
  part: string
}

export interface Clause {
  words: Word[]
  /** The words before the verb. */
  subject: Word[]
  /** "am", "have", "not", "never": what stands between subject and verb. */
  auxiliaries: Word[]
  /** Without one, a form of "be" or "have" stands alone in the auxiliaries. */
  verb: Word | null
  rest: Word[]
}

type Tagger = (text: string) => Word[]
let tagger: Tagger | null = null

/** The model of the language costs a tenth of a second and some memory, which only who extracts by rules has to pay. */
function loadTagger(): Tagger {
  const require = createRequire(import.meta.url)
  const create = require('wink-nlp') as typeof WinkNlp
  const nlp = create(require('wink-eng-lite-web-model') as Model, ['pos'])
  const { its } = nlp
  return (text) => {
    const tokens = nlp.readDoc(text).tokens()
    const parts = tokens.out(its.pos) as string[]
    const lemmas = tokens.out(its.lemma as ItsFunction<string>) as string[]
    return (tokens.out() as string[]).map((word, index) => ({
      text: word,
      lower: word.toLowerCase(),
      lemma: (lemmas[index] ?? word).toLowerCase(),
      part: parts[index] ?? 'X'
    }))
  }
}

let last: { text: string; clause: Clause } | null = null

/** The last one is kept, since several ask about the same clause in turn. */
export function parseClause(text: string): Clause {
  if (last?.text !== text) last = { text, clause: parse(text) }
  return last.clause
}

function parse(text: string): Clause {
  tagger ??= loadTagger()
  const words = tagger(text)
  if (!words.some(isVerbal)) takeNounForVerb(words)
  const first = words.findIndex(isVerbal)
  if (first === -1) return { words, subject: words, auxiliaries: [], verb: null, rest: [] }
  let at = first
  while (HELPING.has(words[at]?.part ?? '')) at++
  const verb = words[at]?.part === 'VERB' ? (words[at] ?? null) : null
  return {
    words,
    subject: words.slice(0, first),
    auxiliaries: words.slice(first, at),
    verb,
    rest: words.slice(verb ? at + 1 : at)
  }
}

function isVerbal({ part }: Word): boolean {
  return part === 'VERB' || part === 'AUX'
}

/** "My sister lives in Rome" is at times taken for the lives of a sister. */
function takeNounForVerb(words: Word[]): void {
  const at = words.findIndex(
    ({ part, lower }, index) =>
      part === 'NOUN' && /[^s]s$/.test(lower) && /^(?:NOUN|PROPN)$/.test(words[index - 1]?.part ?? '')
  )
  const word = words[at]
  if (word && at < words.length - 1) words[at] = { ...word, part: 'VERB', lemma: word.lower.slice(0, -1) }
}

const HELPING = new Set(['AUX', 'PART', 'ADV'])

/** "Call my mum" asks, "called my mum" tells: a verb without a subject, in the form that dictionaries have. */
export function isImperative({ subject, auxiliaries, verb }: Clause): boolean {
  const isAddressed = subject.every(({ part }) => !NAMING.has(part))
  return isAddressed && auxiliaries.length === 0 && verb !== null && verb.lower === verb.lemma
}

/** "Moved to Oslo in May": the owner is left out. */
export function isOwnerLeftOut({ subject, verb, auxiliaries }: Clause): boolean {
  return (
    subject.every(({ part }) => part === 'ADV') &&
    auxiliaries.length === 0 &&
    verb !== null &&
    verb.lower !== verb.lemma &&
    !verb.lower.endsWith('s')
  )
}

const NAMING = new Set(['NOUN', 'PROPN', 'PRON', 'NUM'])
