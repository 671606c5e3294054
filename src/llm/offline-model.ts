import { classifyMessage } from './classify-message.ts'
import type { ChatModel, Prompt } from './model.ts'
import { pickQuotes, type Quote } from './pick-quotes.ts'

const NO_MODEL = 'No language model is connected'
const GREETING = `Hello. ${NO_MODEL}, but tell me things and ask about them later: I look them up.`
const REMEMBER = `Noted, as you asked. ${NO_MODEL}, so when you ask I can only look it up.`
const STATEMENT = `Noted. ${NO_MODEL}, so I can only look up what you have told me when you ask.`
const UNKNOWN = `I don't know yet. This is offline mode: I can only look up what you have told me.`
const WORDS_PER_PIECE = 3

const DATE = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC'
})

/** Answers with sentences from what was recalled, or says that it does not know. */
export function createOfflineModel(): ChatModel {
  return {
    id: 'offline',
    async *stream(prompt, signal) {
      for (const text of splitIntoPieces(composeReply(prompt))) {
        signal.throwIfAborted()
        yield { type: 'text-delta', text }
      }
      signal.throwIfAborted()
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 } }
    }
  }
}

function composeReply({ messages, sources }: Prompt): string {
  const message = messages.findLast(({ role }) => role === 'user')?.content ?? ''
  switch (classifyMessage(message)) {
    case 'greeting':
      return GREETING
    case 'remember':
      return REMEMBER
    case 'statement':
      return STATEMENT
    case 'question':
      return pickQuotes(message, sources).map(renderQuote).join('\n\n') || UNKNOWN
  }
}

/** What is remembered may be put in other words than its owner's, so that only messages and documents stand in marks. */
function renderQuote({ source, text }: Quote): string {
  const words = source.kind === 'memory' ? text : `"${text}"`
  return `${introduce(source)}: ${words} [${source.index}]`
}

function introduce({ kind, role, at, day = at, status }: Quote['source']): string {
  if (kind === 'passage') return 'Your documents say'
  if (status === 'unconfirmed') return 'I take it from what you told me, and you have not confirmed it'
  const when = Number.isNaN(Date.parse(day)) ? '' : ` on ${DATE.format(new Date(day))}`
  return role === 'assistant' ? `I replied${when}` : `You told me${when}`
}

function splitIntoPieces(text: string): string[] {
  const words = text.split(/(?<=\s)(?=\S)/)
  const pieces: string[] = []
  for (let start = 0; start < words.length; start += WORDS_PER_PIECE) {
    pieces.push(words.slice(start, start + WORDS_PER_PIECE).join(''))
  }
  return pieces
}
