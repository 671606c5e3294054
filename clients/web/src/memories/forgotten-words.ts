/** What the server shows in place of words that are forgotten. */
const FORGOTTEN = '[forgotten]'

/** Whether words are missing from a text: sent back as it is, it would be kept without them for ever. */
export const lacksForgotten = (text: string) => text.includes(FORGOTTEN)
