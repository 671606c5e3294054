import { hash, parseOptions, verify } from '@node-rs/argon2'
import { AuthBusy } from './errors.ts'

/** The least OWASP asks of argon2id, the library's own default algorithm. Raise them here: old hashes follow at the next sign-in. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Half of Node's threads for such work: a flood of sign-ins leaves the rest of the service its files and names. */
const AT_ONCE = 2
const MAX_WAITING = 50
/** A hash no password is stored under, at the present cost: checking an unknown user's password takes as long as a known one's. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$rsKiMqZl8v7/ueMwLyW3sA$oq+mwS0v6renp0JMayCRxlhf/2U36pxmJiltInPtZCQ'

export interface Passwords {
  /** The hash to store, in PHC form: it names its own parameters. */
  hash(password: string): Promise<string>
  /** Whether the password fits; never for `undefined`, an unknown user, at the same cost. */
  verify(hash: string | undefined, password: string): Promise<boolean>
  /** Whether the hash was made more cheaply than hashes are now. */
  isOutdated(hash: string): boolean
}

export function createPasswords(): Passwords {
  const inTurn = createTurns(AT_ONCE, MAX_WAITING)
  return {
    hash: (password) => inTurn(() => hash(password, COST)),
    async verify(known, password) {
      const fits = await inTurn(() => verify(known ?? NOBODY, password))
      return known !== undefined && fits
    },
    isOutdated(known) {
      const { memoryCost, timeCost } = parseOptions(known)
      return memoryCost < COST.memoryCost || timeCost < COST.timeCost
    }
  }
}

/** Runs so many pieces of work at once, lets so many more wait in order, and refuses the rest. */
export function createTurns(atOnce: number, maxWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async function inTurn(work) {
    if (running < atOnce) running++
    else if (waiting.length < maxWaiting) await new Promise<void>((resolve) => waiting.push(resolve))
    else throw new AuthBusy()
    try {
      return await work()
    } finally {
      // Whoever waits takes over this place, so nobody who comes now can slip in between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
