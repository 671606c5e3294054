/** A message, and what a scripted model finds in it. */
export const SAID = 'Hello! My sister Ada keeps bees in Tromsø since 2019. What do you think?'
export const FACT = {
  message: 1,
  tags: ['bees'],
  subject: 'Ada',
  slot: 'hobby',
  since: '2019-01-01',
  until: '',
  saidBy: 'owner',
  change: '',
  over: false,
  text: 'Ada, my sister, has kept bees in Tromsø since 2019.',
  category: 'relationship',
  importance: 0.7,
  importanceReason: 'close family',
  quote: 'My sister Ada keeps bees in Tromsø since 2019.'
}

/** The name of the shape a request asks for. */
export function nameOf(body: Record<string, unknown>): string | undefined {
  return (body.response_format as { json_schema?: { name: string } } | undefined)?.json_schema?.name
}

/** Today as a model is shown it. */
export function today(): string {
  const now = new Date()
  const weekday = now.toLocaleDateString('en-GB', { weekday: 'long', timeZone: 'UTC' })
  return `${weekday}, ${now.toISOString().slice(0, 10)}`
}
