import { type ForgottenWords, takeOut } from './forgotten-words.ts'

export type TitledBy = 'words' | 'model' | 'owner'

export interface WhatIsLeft {
  /** The conversation's messages that told it, as they were and as they are without. */
  changed: { content: string; text: string }[]
  /** The first of the owner's in it, without. */
  first: string
}

/** What is left of a title: the one decision, while what is forgotten is hidden and when it is purged. */
export function titleLeft(
  { title, titledBy }: { title: string; titledBy: TitledBy },
  { changed, first }: WhatIsLeft,
  words: ForgottenWords,
  toTitle: (text: string) => string
): string {
  // A model's may tell in other words what these messages told: it is made again from what is left of them.
  if (titledBy === 'model' && changed.length > 0) return toTitle(first)
  const madeFrom = changed.find(({ content }) => title === toTitle(content))
  if (madeFrom) return toTitle(madeFrom.text)
  // What the owner calls it shares words with what it is about, as what the owner says does.
  const repeats = titledBy === 'owner' ? [] : words.repeatsIn(title, [])
  return takeOut(title, [...words.spansIn(title), ...repeats]).text
}
