import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { IdempotencyHeaders, IdParams, PageQuery } from '../http/schemas.ts'
import type { ApiKeys } from './api-keys.ts'
import { requireAdministrator, requireScope, requireSession } from './authenticate.ts'
import type { Invitations } from './invitations.ts'
import { limitGuesses } from './limit-guesses.ts'
import type { Profiles } from './profile.ts'
import {
  ApiKeyBody,
  ApiKeyPage,
  InvitationBody,
  InvitationPage,
  Me,
  NewApiKey,
  NewInvitation,
  ProfileChanges,
  RemoveAccountBody
} from './schemas.ts'

export interface AccountRoutesOptions {
  profiles: Profiles
  apiKeys: ApiKeys
  invitations: Invitations
  /** The model that answers, for clients to show. */
  model: string
  offline: boolean
  /** False where the service has no rate limit at all. */
  rateLimit: boolean
}

const tags = ['Accounts']
const noContent = { 204: Type.Null() }

/** The account of whoever is signed in: register it where `request.user` is set. */
export const accountRoutes: FastifyPluginAsyncTypebox<AccountRoutesOptions> = async (app, options) => {
  const { profiles, model, offline } = options

  // Open to every key: a client asks here whether its key works, and which model answers.
  app.get('/me', { schema: { tags, summary: 'The account', response: { 200: Me } } }, async ({ user }) => ({
    ...(await profiles.load(user.id)),
    model,
    offline
  }))

  app.register(changingRoutes, options)
}

const changingRoutes: FastifyPluginAsyncTypebox<AccountRoutesOptions> = async (app, options) => {
  const { profiles, model, offline, rateLimit } = options
  app.addHook('onRequest', requireScope('account'))

  app.patch(
    '/me',
    { schema: { tags, summary: 'Change the profile', body: ProfileChanges, response: { 200: Me } } },
    async ({ user, body }) => ({ ...(await profiles.save(user.id, body)), model, offline })
  )

  app.delete(
    '/me',
    {
      onRequest: requireSession,
      config: limitGuesses(rateLimit),
      schema: {
        tags,
        summary: 'Remove the account and everything in it',
        body: RemoveAccountBody,
        response: noContent
      }
    },
    async ({ user, body }, reply) => {
      await profiles.remove(user.id, body.password)
      return reply.code(204).send(null)
    }
  )

  app.register(apiKeyRoutes, options)
  app.register(invitationRoutes, options)
}

const apiKeyRoutes: FastifyPluginAsyncTypebox<{ apiKeys: ApiKeys }> = async (app, { apiKeys }) => {
  app.get(
    '/api-keys',
    { schema: { tags, summary: 'List API keys', querystring: PageQuery, response: { 200: ApiKeyPage } } },
    ({ user, query }) => apiKeys.list(user.id, query)
  )

  app.post(
    '/api-keys',
    {
      onRequest: requireSession,
      schema: {
        tags,
        summary: 'Make an API key',
        headers: IdempotencyHeaders,
        body: ApiKeyBody,
        response: { 201: NewApiKey }
      }
    },
    async ({ user, body, headers }, reply) =>
      reply.code(201).send(await apiKeys.create(user, body, headers['idempotency-key']))
  )

  app.delete(
    '/api-keys/:id',
    { schema: { tags, summary: 'Revoke an API key', params: IdParams, response: noContent } },
    async ({ user, params }, reply) => {
      await apiKeys.remove(user.id, params.id)
      return reply.code(204).send(null)
    }
  )
}

const invitationRoutes: FastifyPluginAsyncTypebox<{ invitations: Invitations }> = async (
  app,
  { invitations }
) => {
  app.addHook('onRequest', requireAdministrator)

  app.get(
    '/invitations',
    {
      schema: { tags, summary: 'List invitations', querystring: PageQuery, response: { 200: InvitationPage } }
    },
    ({ user, query }) => invitations.list(user.id, query)
  )

  app.post(
    '/invitations',
    {
      schema: {
        tags,
        summary: 'Invite somebody to register',
        headers: IdempotencyHeaders,
        body: InvitationBody,
        response: { 201: NewInvitation }
      }
    },
    async ({ user, body, headers }, reply) =>
      reply.code(201).send(await invitations.create(user, body, headers['idempotency-key']))
  )

  app.delete(
    '/invitations/:id',
    { schema: { tags, summary: 'Withdraw an invitation', params: IdParams, response: noContent } },
    async ({ user, params }, reply) => {
      await invitations.remove(user.id, params.id)
      return reply.code(204).send(null)
    }
  )
}
