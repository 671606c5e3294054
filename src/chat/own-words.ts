interface Said {
  role: string
  name?: string | undefined
}

/**
 * Which messages of a conversation from elsewhere are the owner's own. Where one person speaks beside the assistant that is
 * the owner, whatever they are called there; of several it is whoever goes by the owner's name, or by none.
 */
export function isOwnersOf(messages: Said[], ownerName: string): (message: Said) => boolean {
  const names = new Set(messages.filter(({ role }) => role === 'user').map(({ name }) => name))
  if (names.size === 1) return ({ role }) => role === 'user'
  return ({ role, name }) => role === 'user' && (name === undefined || isSameName(name, ownerName))
}

/** "Mira" is "Mira Berg". */
function isSameName(one: string, other: string): boolean {
  const [shorter, longer] = [wordsOf(one), wordsOf(other)].sort((a, b) => a.length - b.length)
  return shorter !== undefined && shorter.length > 0 && shorter.every((word) => longer?.includes(word))
}

function wordsOf(name: string): string[] {
  return (
    name
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  )
}
