import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ReadUsage } from './read-usage.ts'
import { Usage, UsageQuery } from './schemas.ts'

/** What the models of whoever is signed in have cost. */
export const usageRoutes: FastifyPluginAsyncTypebox<{ readUsage: ReadUsage }> = async (
  app,
  { readUsage }
) => {
  app.get(
    '/usage',
    {
      schema: {
        tags: ['Accounts'],
        summary: 'What models took and cost: this month, or from a moment up to another, in UTC',
        querystring: UsageQuery,
        response: { 200: Usage }
      }
    },
    ({ user, query }) => readUsage(user.id, query)
  )
}
