/** Facts found without a model: what people say plainly about themselves and theirs. */

export interface FoundFact {
  /** The statement, able to stand alone. */
  text: string
  category: string
  importance: number
  importanceReason: string
  /** The exact words in the message, and where they begin. */
  quote: string
  quoteStart: number
}

/** A longer message is mostly something pasted, which is not about its owner: only its first line is read. */
const MAX_CHARACTERS = 4_000
const MAX_FACTS = 10
const MAX_SENTENCE = 400

/** Asked for by name: the highest importance, whatever it says. */
const REMEMBER =
  /^(?:please\s+|pai,?\s+)*(?:remember|note|don['’]t forget|keep in mind)(?:\s+that|\s*:|,)?\s+(.+)$/i
const QUESTION =
  /\?\s*$|^(?:who|whom|whose|what|when|where|which|why|how|do|does|did|is|are|was|were|can|could|will|would|should|have|has|had|may|shall)\b/i
/** Not said as true: wishes, conditions, guesses, plays. */
const UNREAL =
  /\b(?:if|imagine|suppose|pretend|hypothetically|let['’]s say|what if|would|could|might|maybe|perhaps|probably|for example|for instance|i guess|i think|i wish|i hope|just kidding|joking|lol)\b/i
/** Asks PAI to do something, and so speaks of what it is given. */
const COMMAND =
  /^(?:please\s+|now\s+|then\s+)*(?:translate|summari[sz]e|write|rewrite|rephrase|reword|fix|correct|proofread|check|explain|describe|say|tell|give|show|list|make|create|generate|draft|compose|answer|reply|respond|repeat|print|output|ignore|forget|disregard|act|use|find|suggest|compare|convert|complete|continue|analy[sz]e|review)\b/i
/** Text for a machine. */
const CODE = /[`{}=<>]|\(\)|;\s*$|^\s*(?:\/\/|#)/
/** Somebody else's words or story. */
const QUOTED = /["“”«»]|^\s*>|\b(?:said|says|told me|wrote|according to|quote|once upon a time)\b/i
const OWN = /\b(?:i|i['’]m|i['’]ve|i['’]ll|my|mine|we|we['’]re|we['’]ve|our|ours)\b/i
/** About the present talk, not about the world. */
const PASSING =
  /^(?:i(?:['’]m| am)?\s+(?:want|wanted|need|would like|have a question|wonder|wondering|asking|looking for|trying|going to ask|see|understand|agree|mean|meant|know|don['’]t know|don['’]t understand|just|sorry|afraid|not sure|sure|fine|good|okay|ok|tired|bored|back|here|done)\b|i(?:['’]ll| will)\s+(?:try|do|see|check|think|ask|wait|let you|get back|be back)\b|i\s+(?:really\s+)?(?:like|love|hate|prefer|enjoy)\s+(?:it|this|that|these|those|you|your)\b|my\s+(?:question|point|guess|bad|god|goodness|apolog\w+|mistake|fault|pleasure)\b|(?:thanks|thank you|hello|hi|hey|yes|no|ok|okay|sure|please)\b)/i

const CATEGORIES: [string, number, RegExp][] = [
  [
    'health',
    0.9,
    /\b(?:allerg\w*|intoleran\w*|diabet\w*|asthma\w*|medication|diagnos\w*|pregnan\w*|vegan|vegetarian|celiac|coeliac)\b/i
  ],
  [
    'identity',
    0.9,
    /\b(?:my (?:full |last |first |nick)?name|call me|i(?:['’]m| am) called|my (?:birthday|pronouns)|i was born|years old)\b/i
  ],
  [
    'relationship',
    0.7,
    /\b(?:my|i have|i['’]ve got) (?:\w+ ){0,2}(?:wife|husband|partner|girlfriend|boyfriend|fianc\w+|mother|father|mum|mom|dad|parents?|sister|brother|siblings?|son|daughter|child|children|kids?|baby|aunt|uncle|cousin|niece|nephew|grand\w+|friend|boss|colleague|neighbou?r|dog|cat|pet)s?\b/i
  ],
  [
    'preference',
    0.6,
    /\b(?:i (?:really |also |do not |don['’]t )?(?:like|love|hate|prefer|enjoy|dislike|can['’]t stand)|my favou?rite)\b/i
  ],
  [
    'work',
    0.7,
    /\b(?:i work|my (?:job|work|company|team|salary|career|employer|office)|i(?:['’]m| am) an? \w+(?:er|or|ist|ian|ant)\b)/i
  ],
  [
    'place',
    0.7,
    /\b(?:i live|i moved|my (?:home|house|flat|apartment|address|city|town)|i(?:['’]m| am) from)\b/i
  ],
  [
    'plan',
    0.5,
    /\b(?:i(?:['’]m| am) going to|i will|i(?:['’]ll)|i(?:['’]m| am) planning|we(?:['’]re| are) (?:going|planning)|my (?:flight|trip|appointment|meeting|exam|wedding|deadline))\b/i
  ]
]

/** What a message of the owner's says about the owner's world; nothing where nothing is plain. */
export function findFacts(message: string): FoundFact[] {
  const facts: FoundFact[] = []
  const text = message.length > MAX_CHARACTERS ? message.slice(0, message.indexOf('\n') + 1) : message
  for (const { sentence, start } of sentencesOf(text)) {
    const fact = toFact(sentence, start)
    if (fact) facts.push(fact)
    if (facts.length === MAX_FACTS) break
  }
  return facts
}

function toFact(sentence: string, start: number): FoundFact | null {
  if (sentence.length > MAX_SENTENCE) return null
  const asked = REMEMBER.exec(sentence)?.[1]
  if (asked && !QUESTION.test(asked)) {
    return {
      // "To call mom" would say nothing of why it is kept.
      text: toStatement(/^to\b/i.test(asked) ? sentence : asked),
      category: categoryOf(asked)?.[0] ?? 'note',
      importance: 0.9,
      importanceReason: 'the owner asked to remember it',
      quote: sentence,
      quoteStart: start
    }
  }
  if ([QUESTION, UNREAL, QUOTED, COMMAND, CODE, PASSING].some((pattern) => pattern.test(sentence)))
    return null
  if (!OWN.test(sentence)) return null
  const category = categoryOf(sentence)
  // "I work." says nothing, "I'm vegetarian." does.
  if (sentence.split(/\s+/).length < 3 && category?.[0] !== 'health') return null
  // "My sister Ada keeps bees" is a fact whatever it is about; "I went out" is not worth keeping.
  if (!category && !/^(?:my|our)\s+\S+(?:\s+\S+){2,}/i.test(sentence)) return null
  return {
    text: toStatement(sentence),
    category: category?.[0] ?? 'fact',
    importance: category?.[1] ?? 0.5,
    importanceReason: `said plainly, about ${category?.[0] ?? 'the owner’s world'}`,
    quote: sentence,
    quoteStart: start
  }
}

function categoryOf(sentence: string): [string, number] | null {
  const found = CATEGORIES.find(([, , pattern]) => pattern.test(sentence))
  return found ? [found[0], found[1]] : null
}

function toStatement(sentence: string): string {
  const trimmed = sentence.trim()
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
}

const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' })

function* sentencesOf(text: string): Iterable<{ sentence: string; start: number }> {
  let fenced = false
  let lineStart = 0
  for (const line of text.split('\n')) {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced
    else if (!fenced && !/^\s*>/.test(line)) {
      for (const { segment, index } of SENTENCES.segment(line)) {
        const sentence = segment.trim()
        if (!sentence || isQuoted(line.slice(0, index))) continue
        yield { sentence, start: lineStart + index + segment.indexOf(sentence) }
      }
    }
    lineStart += line.length + 1
  }
}

/** Whether a quotation that began before has not ended: the sentences within it bear no mark of their own. */
function isQuoted(before: string): boolean {
  const count = (mark: string) => before.split(mark).length - 1
  return count('"') % 2 === 1 || count('“') > count('”') || count('«') > count('»')
}
