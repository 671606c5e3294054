import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { accountRoutes } from '../../src/auth/account-routes.ts'
import { type Accounts, createAccounts } from '../../src/auth/accounts.ts'
import { requireScope } from '../../src/auth/authenticate.ts'
import type { RegistrationRules } from '../../src/auth/register.ts'
import { authRoutes } from '../../src/auth/routes.ts'
import { openBus } from '../../src/db/bus.ts'
import type { Database } from '../../src/db/client.ts'
import { errorHandler } from '../../src/http/error-handler.ts'
import { createValidatorCompiler } from '../../src/http/validation.ts'

export const SECRET = 'a secret of the tests, long enough to pass'
export const PASSWORD = 'bees in Tromsø'

export interface AccountsApp {
  app: FastifyInstance
  accounts: Accounts
  /** Makes a call and answers what came back, with the JSON in it. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options?: { body?: unknown; token?: string; headers?: Record<string, string> }
  ): Promise<LightMyRequestResponse & { data: Answer }>
  /** Registers someone; the first is the administrator. */
  join(email: string): Promise<Answer>
}

// biome-ignore lint/suspicious/noExplicitAny: the tests read answers of every shape
type Answer = any

/** The accounts and nothing else, over HTTP. */
export async function createAccountsApp(
  database: Database,
  rules: Partial<RegistrationRules> = {}
): Promise<AccountsApp> {
  const bus = await openBus(database)
  const accounts = await createAccounts({
    database,
    bus,
    secret: SECRET,
    registration: 'open',
    loopback: true,
    bootstrapToken: null,
    ...rules
  })
  const app = Fastify()
  app.addHook('onClose', () => bus.close())
  app.setValidatorCompiler(createValidatorCompiler())
  app.setErrorHandler(errorHandler)
  app.register(authRoutes, { prefix: '/v1', ...accounts, rateLimit: false })
  app.register(
    async (signedIn) => {
      signedIn.decorateRequest('user')
      signedIn.addHook('onRequest', async (request) => {
        request.user = await accounts.authenticate(request.headers.authorization)
      })
      signedIn.register(accountRoutes, { ...accounts, model: 'offline', offline: true, rateLimit: false })
      signedIn.get('/chats', { preHandler: requireScope('chat') }, async () => ({ chats: 0 }))
    },
    { prefix: '/v1' }
  )

  const call: AccountsApp['call'] = async (method, path, { body, token, headers } = {}) => {
    const request: InjectOptions = {
      method,
      url: `/v1${path}`,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers }
    }
    if (body !== undefined) request.payload = body as object
    const response = await app.inject(request)
    return Object.assign(response, { data: response.body ? response.json() : null })
  }
  return {
    app,
    accounts,
    call,
    async join(email) {
      const { statusCode, data } = await call('POST', '/auth/register', {
        body: { email, password: PASSWORD }
      })
      if (statusCode !== 201) throw new Error(`Registering answered ${statusCode} ${data.code}`)
      return data
    }
  }
}

/** Tests share a database, and who registers first is different: so each begins without accounts. */
export async function removeEveryone(database: Database): Promise<void> {
  await database.pool.query('DELETE FROM users; DELETE FROM idempotency_keys')
}
