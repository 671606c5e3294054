/** A message with the apostrophes that people leave out, and where its places are in the message as it was written. */
export interface Spelt {
  text: string
  /** The place in the message as written. */
  original(at: number): number
}

/** Words that are no others without their apostrophe: "ill", "id" and "were" are. */
const BARE_CONTRACTION =
  /\b(?:(i)(m|ve)|(do|does|did|ca|wo|is|are|was|were|have|has|had|would|could|should)n(t)|(you|they)(re|ve)|(we)(ve)|(that|what|she|he)(s))\b/gi
const SUFFIX = /(?:m|ve|re|t|s)$/i

/** Puts back the apostrophe in "dont" and "im", so that one way of writing is read. */
export function spellOut(message: string): Spelt {
  const added: number[] = []
  const text = message.replace(BARE_CONTRACTION, (word, ...rest) => {
    const offset = rest.find((part) => typeof part === 'number') as number
    const split = word.length - (SUFFIX.exec(word)?.[0].length ?? 0)
    added.push(offset + split + added.length)
    return `${word.slice(0, split)}'${word.slice(split)}`
  })
  return { text, original: (at) => at - added.filter((place) => place < at).length }
}
