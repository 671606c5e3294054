import type { WebSocket } from 'ws'
import type { Authenticate, SignedIn } from '../auth/authenticate.ts'
import { SocketBusy, SocketMessageInvalid } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import { CLOSED, type ClientMessage, clientMessages, MAX_REF, type ServerMessage } from './socket-messages.ts'
import type { StartedTurn, StartTurn } from './start-turn.ts'
import type { StopTurn } from './stop-turn.ts'
import type { WatchTurn } from './watch-turn.ts'

export interface SocketServices {
  startTurn: StartTurn
  watchTurn: WatchTurn
  stopTurn: StopTurn
  /** Reads what an Authorization header would say. */
  authenticate: Authenticate
  /** Calls back when credentials are good no more; answers how to stop waiting. */
  onSignedOut: (credentials: SignedIn, ended: () => void) => () => void
  /** Refuses what is not allowed to the user, or is too much in a minute. */
  allow: (user: SignedIn) => Promise<void>
  /** What a client may read of an error; ours to mend are logged. */
  toProblem: (error: unknown) => unknown
  refuseUnstorableText: (value: unknown, path: string) => void
}

/** Who connects says who it is within this time. */
const AUTHENTICATE_MS = 10_000
/** Credentials are looked at again this often: an access token or a key may have expired. */
const RECHECK_MS = 60_000
const PING_MS = 15_000
/** A client that answers no ping for this long is gone, or reads nothing. */
const SILENT_MS = 60_000
/** A client that does not answer the good-bye is not waited for. */
const GOODBYE_MS = 1_000
/** Turns that one socket follows at once. */
const MAX_WATCHED = 100
/** Messages that wait to be taken. */
const MAX_WAITING = 100

/** Turns over one socket: any number of conversations, each event of each turn in its order, with the same numbers as over HTTP. */
export function serveSocket(socket: WebSocket, services: SocketServices): void {
  const { startTurn, watchTurn, stopTurn, toProblem } = services
  const watched = new Map<string, AbortController>()
  let signedIn: { user: SignedIn; authorization: string; release: () => void } | null = null
  let waiting = 0
  let taking: Promise<void> = Promise.resolve()
  let heardAt = performance.now()
  let over = false

  /** Nothing is taken any more, not even what waits: a client that does not answer the good-bye could say more for long. */
  function end(code: number, reason: string): void {
    if (over) return
    over = true
    signedIn?.release()
    signedIn = null
    for (const watcher of watched.values()) watcher.abort()
    socket.close(code, reason)
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref()
  }
  const signOut = () => end(CLOSED.signedOut, 'signed out')
  const deadline = setTimeout(signOut, AUTHENTICATE_MS)
  const recheck = setInterval(() => {
    if (!signedIn) return
    services.authenticate(signedIn.authorization).catch((error: { statusCode?: number }) => {
      // A database that is away says nothing about who somebody is.
      if (error.statusCode === 401) signOut()
    })
  }, RECHECK_MS)
  const ping = setInterval(() => {
    if (performance.now() - heardAt > SILENT_MS) socket.terminate()
    else socket.ping()
  }, PING_MS)

  socket.on('pong', () => {
    heardAt = performance.now()
  })
  socket.on('message', (data, isBinary) => {
    heardAt = performance.now()
    if (over) return
    if (++waiting > MAX_WAITING) return end(CLOSED.tooMuch, 'too many messages at once')
    // One after the other: what is sent first is stored first.
    taking = taking.then(() => take(isBinary ? '' : String(data))).finally(() => waiting--)
  })
  socket.on('close', () => {
    over = true
    clearTimeout(deadline)
    clearInterval(recheck)
    clearInterval(ping)
    signedIn?.release()
    for (const watcher of watched.values()) watcher.abort()
  })

  /** Resolves when the client's side has taken it: a turn's next event waits for that, so nothing piles up. */
  function send(message: ServerMessage): Promise<void> {
    return new Promise((resolve) => socket.send(JSON.stringify(message), () => resolve()))
  }

  async function take(text: string): Promise<void> {
    if (over) return
    const value = readJson(text)
    try {
      const turnId = await answer(check(value))
      await send({ type: 'accepted', ...refOf(value), ...(turnId && { turnId }) })
    } catch (error) {
      await send({ type: 'problem', ...refOf(value), problem: toProblem(error) })
      if (!signedIn) signOut()
    }
  }

  function check(value: unknown): ClientMessage {
    services.refuseUnstorableText(value, 'message')
    if (!clientMessages.Check(value)) throw new SocketMessageInvalid()
    return value
  }

  /** Does what a message asks; answers the turn it is about. */
  async function answer(message: ClientMessage): Promise<string | undefined> {
    if (message.type === 'authenticate') return authenticate(message.token)
    if (!signedIn) throw new SocketMessageInvalid()
    const { user } = signedIn
    if (message.type === 'leave') return leave(message.turnId)
    await services.allow(user)
    if (over) throw new SocketMessageInvalid()
    switch (message.type) {
      case 'chat':
        return begin(user, await startTurn.chat(user.id, message.body, message.idempotencyKey))
      case 'regenerate':
        return begin(user, await startTurn.regenerate(user.id, message.messageId, message.idempotencyKey))
      case 'continue':
        return begin(user, await startTurn.continueTurn(user.id, message.turnId, message.idempotencyKey))
      case 'watch':
        await watch(user, message.turnId, message.after ?? 0)
        return message.turnId
      case 'stop':
        await stopTurn(user.id, message.turnId)
        return message.turnId
    }
  }

  async function authenticate(token: string): Promise<undefined> {
    const authorization = `Bearer ${token}`
    const user = await services.authenticate(authorization)
    // A socket is one owner's from beginning to end.
    if (signedIn && signedIn.user.id !== user.id) throw new SocketMessageInvalid()
    // Closed meanwhile, nothing would let go of the credentials again.
    if (over || socket.readyState !== socket.OPEN) return
    signedIn?.release()
    signedIn = { user, authorization, release: services.onSignedOut(user, signOut) }
    clearTimeout(deadline)
  }

  async function begin(user: SignedIn, { turnId, events }: StartedTurn): Promise<string> {
    await watch(user, turnId, 0, events)
    return turnId
  }

  async function watch(user: SignedIn, turnId: string, after: number, known?: LoggedEvent[]): Promise<void> {
    if (!watched.has(turnId) && watched.size >= MAX_WATCHED) throw new SocketBusy(String(MAX_WATCHED))
    const watcher = new AbortController()
    const events = await watchTurn(user.id, turnId, after, watcher.signal, known)
    leave(turnId)
    watched.set(turnId, watcher)
    if (over || socket.readyState !== socket.OPEN) return watcher.abort()
    follow(turnId, events, watcher)
  }

  /** Asked to follow a turn again, the earlier following ends without a word. */
  async function follow(
    turnId: string,
    events: AsyncIterable<LoggedEvent[]>,
    watcher: AbortController
  ): Promise<void> {
    let done = false
    try {
      for await (const some of events)
        for (const { id, type, data } of some) {
          if (watcher.signal.aborted) return
          await send({ type: 'event', turnId, id, event: type, data })
          done = type === 'done'
        }
    } catch (error) {
      if (!watcher.signal.aborted) await send({ type: 'problem', turnId, problem: toProblem(error) })
    }
    if (watcher.signal.aborted) return
    watched.delete(turnId)
    if (!done) await send({ type: 'ended', turnId })
  }

  function leave(turnId: string): string {
    watched.get(turnId)?.abort()
    watched.delete(turnId)
    return turnId
  }
}

/** undefined, which is no message either, where it is no JSON. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Even of a message that is refused, so that its sender knows which. */
function refOf(value: unknown): { ref?: string } {
  const { ref } = (value ?? {}) as { ref?: unknown }
  return typeof ref === 'string' && ref.length <= MAX_REF && ref.isWellFormed() ? { ref } : {}
}
