/**
 * What of a foreign error may reach a log. Its message, body and headers may not: servers echo the prompt and
 * part of the key in them.
 */
export function sanitiseCause(error: unknown): Error {
  const name = error instanceof Error ? error.constructor.name : typeof error
  const status = statusOf(error)
  const code = findCode(error)
  const cause = new Error([name, status, code].filter((part) => part !== undefined).join(' '))
  cause.name = name
  return Object.assign(cause, status !== undefined && { status }, code !== undefined && { code })
}

/** The HTTP status, where the openai or the AWS SDK keeps it. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  const { status, $metadata } = error as { status?: unknown; $metadata?: { httpStatusCode?: number } }
  return typeof status === 'number' ? status : $metadata?.httpStatusCode
}

/** The first code along the causes: the system's ("ECONNREFUSED") lies two levels under the SDK's error. */
export function findCode(error: unknown): string | undefined {
  let current = error
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const code = (current as { code?: unknown }).code
    if (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) return code
    current = current.cause
  }
  return undefined
}
