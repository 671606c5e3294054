import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

const EARLIEST = Date.parse('0001-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

/** A moment as it is stored; null where it is none. */
export function toInstant(value: unknown): string | null {
  const time =
    typeof value === 'number' ? value * 1_000 : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return time >= EARLIEST && time <= LATEST ? new Date(time).toISOString() : null
}

/** Makes an id here of an id elsewhere: the same file read again has the same ids. */
export type IdOf = (elsewhere: string) => string

/** A UUID of version 8 from a hash of where an id comes from and what it is there. */
export function idIn(source: string): IdOf {
  return (elsewhere) => {
    const bytes = createHash('sha256').update(`${source}\0${elsewhere}`).digest().subarray(0, 16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    return Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}
