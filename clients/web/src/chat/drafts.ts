import { readStored, removeStored, writeStored } from '../storage.ts'

const PREFIX = 'pai.draft.'

/** What was typed and not yet sent, kept over reloads; `slot` is a conversation's id or `new`. */
export const readDraft = (slot: string) => readStored(PREFIX + slot) ?? ''

export const writeDraft = (slot: string, text: string) =>
  writeStored(PREFIX + slot, text === '' ? null : text)

/** Drafts are somebody's words: they do not stay behind on a shared computer. */
export const clearDrafts = () => removeStored(PREFIX)
