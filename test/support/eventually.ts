import { vi } from 'vitest'

/** Waits for a condition, patiently: what takes a moment here takes many on a busy machine. */
export function eventually<T>(check: () => T | Promise<T>, timeout = 20_000): Promise<T> {
  return vi.waitFor(check, { timeout, interval: 20 })
}
