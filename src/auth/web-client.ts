import type { FastifyReply, FastifyRequest } from 'fastify'
import { OriginRefused } from './errors.ts'
import { REFRESH_TOKEN_DAYS } from './session-store.ts'
import type { OpenedSession } from './sessions.ts'

const COOKIE = 'pai_refresh'

/**
 * Whether the web app asks. A page of another site cannot send this header without our leave, so it is also what keeps
 * such a page from using the cookie.
 */
function isWebClient(request: FastifyRequest): boolean {
  return request.headers['x-pai-client'] === 'web'
}

/** Refuses the web app's requests from a page that we did not serve. Browsers name the page's origin in every POST. */
export async function refuseOtherOrigins(request: FastifyRequest): Promise<void> {
  const { origin } = request.headers
  if (isWebClient(request) && origin !== undefined && hostOf(origin) !== request.host.toLowerCase())
    throw new OriginRefused()
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

/** The refresh token a request brings: in its body, or as the web app's cookie. */
export function refreshTokenOf(request: FastifyRequest, given: string | undefined): string | undefined {
  return given ?? (isWebClient(request) ? request.cookies[COOKIE] : undefined)
}

/** The answer to someone who signed in: for the web app, with the refresh token where scripts cannot read it. */
export function toAnswer(
  session: OpenedSession,
  request: FastifyRequest,
  reply: FastifyReply
): Omit<OpenedSession, 'refreshToken'> & { refreshToken?: string } {
  if (!isWebClient(request)) return session
  const { refreshToken, ...rest } = session
  reply.setCookie(COOKIE, refreshToken, {
    ...cookieOptions(request),
    maxAge: REFRESH_TOKEN_DAYS * 24 * 60 * 60
  })
  return rest
}

export function clearRefreshToken(request: FastifyRequest, reply: FastifyReply): void {
  if (isWebClient(request)) reply.clearCookie(COOKIE, cookieOptions(request))
}

function cookieOptions(request: FastifyRequest) {
  return { httpOnly: true, sameSite: 'strict', path: '/v1/auth', secure: isOverHttps(request) } as const
}

/**
 * A browser drops a Secure cookie that came over plain HTTP, and nobody could stay signed in there. Behind a proxy that PAI
 * has not been told of, the page's own origin still says how the browser speaks.
 */
function isOverHttps({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'https' || (headers.origin?.startsWith('https:') ?? false)
}
