import { TextRefused } from './errors.ts'

/** A path is there to find the place by, and its names are the caller's own, of any length. */
const MAX_PATH = 200

/** Refuses text that PostgreSQL or UTF-8 cannot hold, wherever it stands in a request: names of fields included. */
export function refuseUnstorableText(value: unknown, path: string): void {
  if (typeof value === 'string') refuse(value, path)
  // Bytes are looked through by whoever reads them.
  if (!isContainer(value) || value instanceof Uint8Array) return
  // A list and no recursion: a body may be nested deeper than the stack is.
  const waiting: [container: object, path: string][] = [[value, path]]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [container, place] = next
    for (const [key, item] of Object.entries(container)) {
      refuse(key, place)
      if (typeof item === 'string') refuse(item, join(place, key))
      else if (isContainer(item)) waiting.push([item, join(place, key)])
    }
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function join(path: string, key: string): string {
  return path.length < MAX_PATH ? `${path}/${key}`.slice(0, MAX_PATH) : path
}

function refuse(text: string, path: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw new TextRefused(path.toWellFormed())
}
