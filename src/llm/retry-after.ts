/** How long a provider asks to be left alone, in milliseconds; `read` gives a header of its answer. */
export function readRetryAfter(read: (header: string) => string | null | undefined): number | undefined {
  const exact = Number.parseFloat(read('retry-after-ms') ?? '')
  if (exact >= 0) return exact
  const text = read('retry-after') ?? ''
  // Seconds, or a date.
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined
}
