export interface FieldError {
  path: string
  message: string
}

interface ProblemFields {
  code: string
  status: number
  detail: string
  errors?: FieldError[] | undefined
  requestId?: string | undefined
  retryAfterSeconds?: number | undefined
}

/** The request never reached PAI, or its answer never came back. Nothing is known about what it did. */
export const NETWORK_ERROR_CODE = 'PAI_CLIENT_NETWORK'

/** Every failure of a call, whether PAI answered with a problem or could not be reached. Branch on `code`. */
export class PaiError extends Error {
  override readonly name = 'PaiError'
  readonly code: string
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number
  /** One sentence a person may read. */
  readonly detail: string
  readonly errors: FieldError[]
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(fields: ProblemFields, options?: ErrorOptions) {
    super(`${fields.code}: ${fields.detail}`, options)
    this.code = fields.code
    this.status = fields.status
    this.detail = fields.detail
    this.errors = fields.errors ?? []
    this.requestId = fields.requestId
    this.retryAfterSeconds = fields.retryAfterSeconds
  }

  get isNetwork(): boolean {
    return this.code === NETWORK_ERROR_CODE
  }
}

export function networkError(cause: unknown): PaiError {
  return new PaiError({ code: NETWORK_ERROR_CODE, status: 0, detail: 'PAI could not be reached' }, { cause })
}

/** Reads a problem+json answer; anything else (a proxy's HTML page) still becomes a `PaiError` with its status. */
export async function problemOf(response: Response): Promise<PaiError> {
  const body = await response.json().catch(() => null)
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new PaiError({
    code: text(problem.code) ?? 'PAI_CLIENT_UNEXPECTED_ANSWER',
    status: response.status,
    detail: text(problem.detail) ?? text(problem.title) ?? `The server answered ${response.status}`,
    errors: Array.isArray(problem.errors) ? problem.errors : [],
    requestId: text(problem.requestId) ?? response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined
  })
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
