const TITLE_LENGTH = 60

/** The first words of the first message, until a better title is found. */
export function toTitle(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  if (line.length <= TITLE_LENGTH) return line
  const cut = line.slice(0, TITLE_LENGTH)
  const end = cut.lastIndexOf(' ')
  // A title of one long word is cut inside it, though not inside a character.
  const words = end < TITLE_LENGTH / 2 ? cut.replace(/[\ud800-\udbff]$/, '') : cut.slice(0, end)
  return `${words}…`
}
