import { TextRefused } from './errors.ts'

/** Refuses text that PostgreSQL or UTF-8 cannot hold, wherever it stands in a request: names of fields included. */
export function refuseUnstorableText(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw new TextRefused(path)
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseUnstorableText(item, `${path}/${index}`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      refuseUnstorableText(key, path)
      refuseUnstorableText(item, `${path}/${key}`)
    }
  }
}
