/** About four characters a token in English; a rough guard, so it errs on the long side for other scripts. */
const CHARACTERS_PER_TOKEN = 4

export function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN)
}

/** The items that fit, best first: those after the first that does not are left out, so that no better one is missing. */
export function takeWithin<Item>(
  items: Item[],
  budgetTokens: number,
  costOf: (item: Item) => number
): Item[] {
  let left = budgetTokens
  const tooMany = items.findIndex((item) => {
    left -= costOf(item)
    return left < 0
  })
  return tooMany === -1 ? items : items.slice(0, tooMany)
}
