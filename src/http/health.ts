import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { DatabaseUnavailable } from '../db/errors.ts'

const Health = { 200: Type.Object({ status: Type.Literal('ok') }) }

/** /healthz: the process answers. /readyz: the database and the queue do too. */
export const healthRoutes: FastifyPluginAsync<{ checkReady: () => Promise<void> }> = async (
  app,
  { checkReady }
) => {
  const tags = ['operation']
  const config = { rateLimit: false }

  app.get(
    '/healthz',
    { config, schema: { tags, summary: 'Is the process alive?', response: Health } },
    async () => ({
      status: 'ok'
    })
  )

  app.get(
    '/readyz',
    { config, schema: { tags, summary: 'Can a request be served?', response: Health } },
    async () => {
      try {
        await checkReady()
      } catch (cause) {
        throw new DatabaseUnavailable({ cause })
      }
      return { status: 'ok' }
    }
  )
}
