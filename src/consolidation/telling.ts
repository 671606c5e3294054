import { weighTerm } from '../llm/common-words.ts'
import { analyzeTerms, isStopWord, splitWords, stemWord } from '../search/analyze.ts'
import { breathe } from './breathe.ts'

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu

/** How much each term tells among texts, given by their terms: a word that everybody uses, or that most of them hold, tells little. */
export function weighTermsOf(texts: Iterable<string>[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const terms of texts) {
    for (const term of new Set(terms)) counts.set(term, (counts.get(term) ?? 0) + 1)
  }
  return new Map(
    [...counts].map(([term, count]) => [term, weighTerm(term) * Math.log(1 + texts.length / count)])
  )
}

/** The terms of each text. */
export async function analyzeAll(texts: string[]): Promise<Set<string>[]> {
  const analyzed: Set<string>[] = []
  for (const [index, text] of texts.entries()) {
    await breathe(index)
    analyzed.push(new Set(analyzeTerms(text)))
  }
  return analyzed
}

/** Words of dates say when and not what. */
const CALENDAR = new Set(
  analyzeTerms(
    `january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday day week month year morning evening afternoon night weekend`
  )
)
/** From here on, common words are things and doings, such as "dog" and "dinner". */
const LEAST_WEIGHT = 0.9

/** Whether a term can name a topic: not among the commonest words, and neither a number nor a date. */
export function isTelling(term: string): boolean {
  return (
    weighTerm(term) >= LEAST_WEIGHT &&
    !CALENDAR.has(term) &&
    /\p{L}{3}|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}]/u.test(term)
  )
}

/** How people write a term: the commonest of its forms in these texts, small letters before capitals. */
export function writtenForm(term: string, texts: string[]): string {
  const forms = new Map<string, number>()
  for (const text of texts) {
    for (const [word] of text.matchAll(WORD)) {
      const [plain = '', ...more] = splitWords(word)
      if (more.length > 0 || isStopWord(plain) || stemWord(plain) !== term) continue
      const form = word.replace(/['’]s$/, '')
      forms.set(form, (forms.get(form) ?? 0) + 1)
    }
  }
  // A sentence begins with a capital that says nothing.
  const usual = [...forms].filter(([form]) => form === form.toLowerCase())
  const candidates = usual.length > 0 ? usual : [...forms]
  return candidates.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? term
}
