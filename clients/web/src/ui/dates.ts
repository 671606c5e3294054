const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

export const formatDay = (iso: string) => DAY.format(new Date(iso))

/** A heading for a list that runs back in time. */
export function ageOf(iso: string, now: Date): string {
  const midnight = new Date(now)
  midnight.setHours(0, 0, 0, 0)
  const days = Math.ceil((midnight.getTime() - new Date(iso).getTime()) / 86_400_000)
  if (days <= 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return days <= 7 ? 'Last seven days' : 'Earlier'
}
