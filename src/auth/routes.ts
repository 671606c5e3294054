import fastifyCookie from '@fastify/cookie'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { RefreshInvalid } from './errors.ts'
import { limitGuesses } from './limit-guesses.ts'
import type { Refresh } from './refresh.ts'
import type { Register } from './register.ts'
import { AuthStatus, LoginBody, RefreshBody, RegisterBody, Session } from './schemas.ts'
import type { SignIn } from './sign-in.ts'
import type { SignOut } from './sign-out.ts'
import { clearRefreshToken, refreshTokenOf, refuseOtherOrigins, toAnswer } from './web-client.ts'

export interface AuthRoutesOptions {
  register: Register
  signIn: SignIn
  refresh: Refresh
  signOut: SignOut
  /** Whether anybody has an account here. */
  hasAccounts: () => Promise<boolean>
  /** False where the service has no rate limit at all. */
  rateLimit: boolean
}

const tags = ['Accounts']

/** Registering, signing in and out: what anyone may call. */
export const authRoutes: FastifyPluginAsyncTypebox<AuthRoutesOptions> = async (app, options) => {
  const { register, signIn, refresh, signOut, hasAccounts } = options
  const config = limitGuesses(options.rateLimit)
  await app.register(fastifyCookie)
  app.addHook('onRequest', refuseOtherOrigins)

  app.get(
    '/auth/status',
    {
      schema: {
        tags,
        summary: 'What a visitor may do first: sign in where there are accounts, else make one',
        response: { 200: AuthStatus }
      }
    },
    async (request) => ({
      hasAccounts: await hasAccounts(),
      hasSession: refreshTokenOf(request, undefined) !== undefined
    })
  )

  app.post(
    '/auth/register',
    { config, schema: { tags, summary: 'Make an account', body: RegisterBody, response: { 201: Session } } },
    async (request, reply) => {
      const session = await register(request.body)
      return reply.code(201).send(toAnswer(session, request, reply))
    }
  )

  app.post(
    '/auth/login',
    { config, schema: { tags, summary: 'Sign in', body: LoginBody, response: { 200: Session } } },
    async (request, reply) => toAnswer(await signIn(request.body), request, reply)
  )

  app.post(
    '/auth/refresh',
    { config, schema: { tags, summary: 'Renew a session', body: RefreshBody, response: { 200: Session } } },
    async (request, reply) => {
      try {
        const session = await refresh(refreshTokenOf(request, request.body.refreshToken))
        return toAnswer(session, request, reply)
      } catch (error) {
        // Only a token that is no longer good goes: a database that was away for a moment signs nobody out.
        if (error instanceof RefreshInvalid) clearRefreshToken(request, reply)
        throw error
      }
    }
  )

  app.post(
    '/auth/logout',
    { schema: { tags, summary: 'Sign out', body: RefreshBody, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await signOut(refreshTokenOf(request, request.body.refreshToken))
      clearRefreshToken(request, reply)
      return reply.code(204).send(null)
    }
  )
}
