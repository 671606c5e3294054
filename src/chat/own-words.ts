interface Said {
  role: string
  name?: string | undefined
}

/**
 * Which messages of a conversation from elsewhere are the owner's own. Where one person speaks beside the assistant that is
 * the owner, whatever they are called there; of several it is whoever goes by the owner's name, or by none. Of several
 * whose names are like the owner's it is the one of just that name, else nobody: one of them is not the owner.
 */
export function isOwnersOf(messages: Said[], ownerName: string): (message: Said) => boolean {
  const names = new Set(messages.filter(({ role }) => role === 'user').map(({ name }) => name))
  if (names.size === 1) return ({ role }) => role === 'user'
  const alike = [...names].filter((name) => name !== undefined && isSameName(name, ownerName))
  const exact = alike.filter((name) => wordsOf(name ?? '').join(' ') === wordsOf(ownerName).join(' '))
  const own = new Set<string | undefined>(exact.length > 0 ? exact : alike.length === 1 ? alike : [])
  return ({ role, name }) => role === 'user' && (name === undefined || own.has(name))
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
