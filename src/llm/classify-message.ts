export type MessageKind = 'greeting' | 'remember' | 'question' | 'statement'

/** Enough of a message to tell what it wants. */
const MAX_LENGTH = 2_000
const QUESTION_MARK = /[?？؟⸮]/u
const GREETING =
  /^(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|hei|hola|bonjour)(?: there| pai)?[\s!.,👋]*$/u
const ASKED_TO_REMEMBER = /^(?:can|could|would|will) you (?:please )?(?:remember|note|keep in mind) that\b/
const REMEMBER = openedBy("remember|note|memori[sz]e|do not forget|don'?t forget|keep in mind|make a note")
const INTERROGATIVE = openedBy(
  `who|whom|whose|what|where|when|which|why|how|is|are|am|was|were|do|does|did|have|has|had|can|could|will
  |would|should|shall|may|might|(?:who|what|where|when|how)'?s|(?:is|are|do|does|did)n'?t`
)
const RECALL = openedBy(
  'tell me|remind me|show me|give me|list|find|search|look up|look for|recall|summari[sz]e|quote'
)
/** "What a day!" and "How nice!" ask nothing. */
const EXCLAMATION = /^(?:what an?|how)\b.*!$/s

/** What a message wants of a model that can only look things up. */
export function classifyMessage(message: string): MessageKind {
  const text = message.slice(0, MAX_LENGTH).trim().toLowerCase().replaceAll('’', "'")
  if (GREETING.test(text)) return 'greeting'
  if (ASKED_TO_REMEMBER.test(text)) return 'remember'
  if (QUESTION_MARK.test(message)) return 'question'
  if (REMEMBER.test(text)) return 'remember'
  if (EXCLAMATION.test(text)) return 'statement'
  return INTERROGATIVE.test(text) || RECALL.test(text) ? 'question' : 'statement'
}

/** A message that begins with one of these words, after small talk such as "ok, so". */
function openedBy(words: string): RegExp {
  return new RegExp(
    `^(?:(?:and|so|but|ok|okay|hey|please|pai|also|then)[,\\s]+)*(?:${words.replace(/\n\s*/, '')})\\b`
  )
}
