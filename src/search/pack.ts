/** About four characters a token in English, and one in other scripts than the Latin: a guard, so it errs on the long side. */
const LATIN_CHARACTERS_PER_TOKEN = 4
/** Other scripts begin with Greek; more of Latin, and the punctuation that all share, stands further back. */
const OTHER_SCRIPTS = 0x0370
const LATIN_FURTHER_BACK = { from: 0x1e00, to: 0x206f }

export function tokensOf(text: string): number {
  let others = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= OTHER_SCRIPTS && !(code >= LATIN_FURTHER_BACK.from && code <= LATIN_FURTHER_BACK.to)) others++
  }
  return others + Math.ceil((text.length - others) / LATIN_CHARACTERS_PER_TOKEN)
}

/** The items that fit, in their order. One that does not is passed over: a long one must not keep the others out. */
export function takeWithin<Item>(
  items: Item[],
  budgetTokens: number,
  costOf: (item: Item) => number
): Item[] {
  let left = budgetTokens
  return items.filter((item) => {
    const cost = costOf(item)
    if (cost > left) return false
    left -= cost
    return true
  })
}
