import { createPaiClient, type PaiClient, PaiError, type Registration, type SignedIn, unwrap } from '@pai/sdk'
import { readStored, writeStored } from '../storage.ts'

export interface Session {
  client: PaiClient
  /** Whether somebody is signed in; asks the server the first time. Rejects when the server cannot be reached. */
  restore(): Promise<boolean>
  /** Whether there is an account to sign in to: whoever comes first wants to sign up, not in. */
  hasAccounts(): Promise<boolean>
  signIn(email: string, password: string): Promise<void>
  register(body: Registration): Promise<void>
  signOut(): Promise<void>
  /** Called when the session ended without this tab asking: expired, revoked, or signed out in another tab. */
  onEnded(listener: () => void): void
}

const WEB = { 'X-PAI-Client': 'web' }
const CHANNEL = 'pai.session'
/** `in` while somebody is signed in here, else `out`; nothing in a browser that has never been here. */
const KNOWN = 'pai.known'

/**
 * The access token lives in this closure and nowhere else, the refresh token in a cookie scripts cannot read. So a
 * reload starts with a refresh, and a script that gets into the page finds no token in storage.
 */
export function createSession(): Session {
  let accessToken: string | null = null
  let userId: string | null = null
  let renewing: Promise<boolean> | null = null
  /** The server has said that nobody is signed in here: no need to ask again. */
  let signedOut = false
  let ended = () => {}
  const otherTabs = new BroadcastChannel(CHANNEL)

  // Calls that make or renew a session carry no token and must never wait for a renewal themselves.
  const bare = createPaiClient({ headers: WEB })
  const client = createPaiClient({ headers: WEB, fetch: authorizedFetch })

  async function authorizedFetch(request: Request): Promise<Response> {
    if (!(await restore())) return fetch(request)
    // A body can be read once, so the first try gets a copy and a second one the original.
    const response = await fetch(authorize(request.clone()))
    if (response.status !== 401) return response
    return (await renew()) ? fetch(authorize(request)) : response
  }

  async function restore(): Promise<boolean> {
    if (accessToken !== null) return true
    return !signedOut && (await mayRenew()) && renew()
  }

  /** Asked first, a server has nothing to refuse of somebody who has never been here. */
  async function mayRenew(): Promise<boolean> {
    if (readStored(KNOWN) === 'in') return true
    const { hasSession } = await askStatus()
    signedOut = !hasSession
    return hasSession
  }

  const askStatus = () => unwrap(bare.GET('/v1/auth/status'))

  function authorize(request: Request): Request {
    request.headers.set('authorization', `Bearer ${accessToken}`)
    return request
  }

  /** Refresh tokens rotate, and using one twice ends the session: one renewal at a time, in this tab and across tabs. */
  function renew(): Promise<boolean> {
    renewing ??= acrossTabs(refresh).finally(() => {
      renewing = null
    })
    return renewing
  }

  async function refresh(): Promise<boolean> {
    try {
      accept(await unwrap(bare.POST('/v1/auth/refresh', { body: {} })))
      return true
    } catch (error) {
      if (!(error instanceof PaiError) || error.status !== 401) throw error
      const had = accessToken !== null
      forget()
      if (had) ended()
      return false
    }
  }

  function accept(answer: SignedIn) {
    // Somebody else signed in from another tab: nothing this tab still shows is theirs.
    if (userId !== null && userId !== answer.user.id) location.reload()
    accessToken = answer.accessToken
    userId = answer.user.id
    signedOut = false
    writeStored(KNOWN, 'in')
  }

  function forget() {
    accessToken = null
    userId = null
    signedOut = true
    writeStored(KNOWN, 'out')
  }

  otherTabs.addEventListener('message', () => {
    if (accessToken === null) return
    forget()
    ended()
  })

  return {
    client,
    hasAccounts: async () => readStored(KNOWN) !== null || (await askStatus()).hasAccounts,
    restore,
    async signIn(email, password) {
      accept(await unwrap(bare.POST('/v1/auth/login', { body: { email, password } })))
    },
    async register(body) {
      accept(await unwrap(bare.POST('/v1/auth/register', { body })))
    },
    async signOut() {
      await unwrap(bare.POST('/v1/auth/logout', { body: {} }))
      forget()
      otherTabs.postMessage('signed-out')
    },
    onEnded(listener) {
      ended = listener
    }
  }
}

async function acrossTabs(work: () => Promise<boolean>): Promise<boolean> {
  // Locks exist in secure contexts only; over plain HTTP on a home network one tab at a time has to do.
  return navigator.locks ? navigator.locks.request('pai.refresh', work) : work()
}
