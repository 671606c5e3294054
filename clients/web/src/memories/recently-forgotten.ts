import { readStored, writeStored } from '../storage.ts'

const KEY = 'pai.forgotten'
/** For so long the server can bring a memory back. */
const WINDOW_MS = 10 * 60_000

/** A memory that can still be brought back. None of its words: those are to be seen nowhere. */
export interface Forgotten {
  id: string
  /** When it was forgotten, in milliseconds since 1970. */
  at: number
}

/** What was forgotten on this device and is not gone yet, the latest first, over reloads. */
export function readForgotten(): Forgotten[] {
  return read().filter(({ at }) => at > Date.now() - WINDOW_MS)
}

export function noteForgotten(id: string) {
  write([{ id, at: Date.now() }, ...readForgotten()])
}

/** It is back, or gone. */
export function dropForgotten(id: string) {
  write(readForgotten().filter((one) => one.id !== id))
}

export const clearForgotten = () => writeStored(KEY, null)

function read(): Forgotten[] {
  try {
    const stored: unknown = JSON.parse(readStored(KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter(isForgotten) : []
  } catch {
    return []
  }
}

/** Whoever else writes to this page's storage may have left something else there. */
function isForgotten(value: unknown): value is Forgotten {
  const { id, at } = (value ?? {}) as Partial<Forgotten>
  return typeof id === 'string' && typeof at === 'number'
}

function write(forgotten: Forgotten[]) {
  writeStored(KEY, forgotten.length > 0 ? JSON.stringify(forgotten) : null)
}

/** How many minutes are left to bring it back, at least one. */
export function minutesLeft({ at }: Forgotten): number {
  return Math.max(1, Math.ceil((at + WINDOW_MS - Date.now()) / 60_000))
}
