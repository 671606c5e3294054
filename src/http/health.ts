import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { DatabaseUnavailable } from '../db/errors.ts'
import { ServiceStopping } from './errors.ts'

const Health = { 200: Type.Object({ status: Type.Literal('ok') }) }

/** /healthz: the process answers. /readyz: the database and the queue do too, and it is not about to end. */
export const healthRoutes: FastifyPluginAsync<{
  checkReady: () => Promise<void>
  isStopping: () => boolean
}> = async (app, { checkReady, isStopping }) => {
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
      if (isStopping()) throw new ServiceStopping()
      try {
        await checkReady()
      } catch (cause) {
        throw new DatabaseUnavailable({ cause })
      }
      return { status: 'ok' }
    }
  )
}
