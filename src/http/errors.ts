import createError from '@fastify/error'

export const RouteNotFound = createError('PAI_ROUTE_NOT_FOUND', 'There is nothing at this address', 404)
export const HostRefused = createError(
  'PAI_HOST_REFUSED',
  'This server answers to localhost only: set PAI_TRUST_PROXY where a proxy stands in front of it',
  421
)
export const ServiceStopping = createError(
  'PAI_SERVICE_STOPPING',
  'This process is about to end: ask another, or again shortly',
  503
)
export const TextRefused = createError<[string]>(
  'PAI_TEXT_REFUSED',
  '%s holds a NUL character or half of a surrogate pair, which cannot be stored',
  400
)
export const JsonInvalid = createError('PAI_JSON_INVALID', 'The body is not JSON', 400)
export const CursorInvalid = createError(
  'PAI_CURSOR_INVALID',
  'The cursor is not one this list gave out',
  400
)
export const FormInvalid = createError(
  'PAI_FORM_INVALID',
  'The form must hold one file, in the field `file`, and nothing else',
  400
)
export const MetricsForbidden = createError(
  'PAI_METRICS_FORBIDDEN',
  'Metrics answer on loopback, or with an administrator’s credentials',
  403
)

/** Our code for each of Fastify's own refusals; its other client errors become PAI_REQUEST_INVALID. */
export const FASTIFY_CODES: Readonly<Record<string, string>> = {
  FST_ERR_VALIDATION: 'PAI_VALIDATION',
  FST_ERR_CTP_INVALID_JSON_BODY: 'PAI_JSON_INVALID',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'PAI_JSON_INVALID',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'PAI_MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAI_BODY_TOO_LARGE',
  FST_ERR_RATE_LIMIT: 'PAI_RATE_LIMITED'
}

/** Our words for those of Fastify's refusals that would repeat the address, and with it what its query string holds. */
export const FASTIFY_DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address holds a % that no character follows from',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is too long'
}

/** Codes that no `createError` above makes: the error handler gives them. */
export const HANDLER_CODES = [...new Set(Object.values(FASTIFY_CODES)), 'PAI_REQUEST_INVALID', 'PAI_INTERNAL']

/** Where the service cannot listen: said on the terminal, never on the wire. */
export class AddressUnusable extends Error {
  override name = 'AddressUnusable'
}
