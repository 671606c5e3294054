/**
 * How text becomes search terms. The lexical index, the offline embedder and the offline model share it, so a
 * word found by one is the same word for the others. Changing it means indexing every text again.
 */

/** The longest text that is read; what lies past it is not indexed. */
const MAX_TEXT_LENGTH = 100_000
const MAX_WORD_LENGTH = 64

/** Letters that Unicode does not take apart into a base letter and an accent. */
const FOLDED_LETTERS: Record<string, string> = {
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ł: 'l',
  ŧ: 't',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  þ: 'th'
}

const UNSPACED =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}々ー]/u
/** A run of letters and digits, apostrophes inside it, or one pictograph. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*|\p{Extended_Pictographic}/gu
const ASCII_LOWER = /^[a-z]+$/

const STOP_WORDS = new Set(
  `a about above after again against all also am an and any are arent as at be because been before being
  below between both but by can cant cannot could couldnt did didnt do does doesnt doing dont down during
  each either else ever few for from further had hadnt has hasnt have havent having he her here hers
  herself him himself his how however i if in into is isnt it its itself just let may me might more most
  must my myself neither no nor not of off oh ok okay on once only or other ought our ours ourselves out
  over own please quite rather really same shall she should shouldnt so some such than that the their
  theirs them themselves then there these they this those though through to too under until up upon us
  very was wasnt we well were werent what when where which while who whom whose why will with within
  without wont would wouldnt yeah yes yet you your yours yourself yourselves`.split(/\s+/)
)

const IRREGULAR = new Map(
  `agreed:agree ate:eat eaten:eat became:become began:begin begun:begin bit:bite bitten:bite blew:blow
  blown:blow bought:buy broke:break broken:break brought:bring built:build came:come caught:catch
  children:child chose:choose chosen:choose drank:drink drawn:draw drew:draw driven:drive drove:drive
  drunk:drink fallen:fall fed:feed feet:foot fell:fall felt:feel flew:fly flown:fly forgot:forget
  forgotten:forget fought:fight found:find gave:give geese:goose given:give goes:go gone:go got:get
  gotten:get grew:grow grown:grow heard:hear held:hold hid:hide hidden:hide kept:keep knew:know
  known:know knives:knife led:lead left:leave lent:lend lost:lose made:make meant:mean men:man met:meet
  mice:mouse paid:pay people:person ran:run ridden:ride rode:ride said:say sang:sing sat:sit saw:see
  seen:see sent:send shelves:shelf shot:shoot slept:sleep sold:sell spent:spend spoke:speak spoken:speak
  stolen:steal stole:steal stood:stand sung:sing swam:swim swum:swim taken:take taught:teach teeth:tooth
  thought:think threw:throw thrown:throw told:tell took:take went:go wives:wife woke:wake wolves:wolf
  women:woman won:win wore:wear worn:wear written:write wrote:write`
    .split(/\s+/)
    .map((pair) => pair.split(':') as [string, string])
)

/** The stemmed content terms of a text, in order, repeated as often as they occur. */
export function analyzeTerms(text: string): string[] {
  const terms: string[] = []
  for (const word of splitWords(text)) {
    if (!isStopWord(word)) terms.push(stemWord(word))
  }
  return terms
}

/** Whether a word, as `splitWords` gives it, is too common to search by. */
export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word)
}

/** Lower-case words without accents. Scripts written without spaces come as pairs of characters. */
export function splitWords(text: string): string[] {
  const words: string[] = []
  // Cut twice, because some letters fold into many.
  const folded = foldText(text.slice(0, MAX_TEXT_LENGTH)).slice(0, MAX_TEXT_LENGTH)
  for (const [match] of folded.matchAll(WORD)) {
    if (UNSPACED.test(match)) pushPairs(words, match)
    else words.push(joinApostrophes(match).slice(0, MAX_WORD_LENGTH))
  }
  return words
}

/** One form for the inflections of an English word; words of other languages mostly pass as they are. */
export function stemWord(word: string): string {
  const irregular = IRREGULAR.get(word)
  const stem = irregular ?? word
  if (stem.length < 4 || !ASCII_LOWER.test(stem)) return stem
  return stripEnding(stripInflection(stem))
}

/** "Ada's" to "ada" and "she'll" to "she", but "don't" to "dont". */
function joinApostrophes(word: string): string {
  return /['’]/.test(word) ? word.replace(/['’](?:s|ll|re|ve|d|m)$/, '').replace(/['’]/g, '') : word
}

function foldText(text: string): string {
  const lower = text.toLowerCase()
  if (!/[^\n -~]/.test(lower)) return lower
  // Only the accents of Latin, Greek and Cyrillic go: in other scripts such marks are vowels.
  return lower
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[øđðħıłŧæœßþ]/g, (letter) => FOLDED_LETTERS[letter] ?? letter)
    .normalize('NFC')
}

function pushPairs(words: string[], run: string): void {
  let spaced = ''
  let previous = ''
  let paired = true
  for (const character of run) {
    if (!UNSPACED.test(character) && !/\p{M}/u.test(character)) {
      if (!paired) words.push(previous)
      previous = ''
      paired = true
      spaced += character
      continue
    }
    if (spaced) words.push(spaced.slice(0, MAX_WORD_LENGTH))
    spaced = ''
    if (previous) words.push(previous + character)
    paired = previous !== ''
    previous = character
  }
  if (spaced) words.push(spaced.slice(0, MAX_WORD_LENGTH))
  if (!paired) words.push(previous)
}

function stripInflection(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2)
  if (word.endsWith('ies') || word.endsWith('ied'))
    return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1)
  if (/(?:[sxz]|ch|sh)es$/.test(word)) return word.slice(0, -2)
  if (/[^su]s$/.test(word)) return word.slice(0, -1)
  if (word.endsWith('eed')) return word
  if (word.endsWith('ed') && hasVowel(word.slice(0, -2))) return undouble(word.slice(0, -2))
  if (word.endsWith('ing') && hasVowel(word.slice(0, -3))) return undouble(word.slice(0, -3))
  return word
}

/** Endings whose loss makes "make" and "making", "city" and "cities", "graduate" and "graduation" meet. */
function stripEnding(word: string): string {
  let stem = word
  if (stem.length > 6 && stem.endsWith('ness')) stem = stem.slice(0, -4)
  else if (stem.length > 7 && /[st]ion$/.test(stem)) stem = stem.slice(0, -3)
  else if (stem.length > 5 && stem.endsWith('ly')) stem = stem.slice(0, -2)
  if (stem.length > 3 && /[^e]e$/.test(stem)) return stem.slice(0, -1)
  if (stem.length > 2 && /[^aeiou]y$/.test(stem)) return `${stem.slice(0, -1)}i`
  return stem
}

function hasVowel(stem: string): boolean {
  return stem.length > 2 && /[aeiouy]/.test(stem)
}

/** "planned" and "planning" to "plan", while "called" keeps its double letter. */
function undouble(stem: string): string {
  return stem.length > 3 && /([bdfgmnprt])\1$/.test(stem) ? stem.slice(0, -1) : stem
}
