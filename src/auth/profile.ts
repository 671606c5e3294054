import type { Bus } from '../db/bus.ts'
import type { Database } from '../db/client.ts'
import { LastAdministrator, LocaleInvalid, PasswordWrong, TimezoneInvalid, TokenInvalid } from './errors.ts'
import type { Passwords } from './passwords.ts'
import type { Revocations } from './revocations.ts'
import type { Profile, ProfileChanges } from './schemas.ts'
import {
  findAccount,
  findPasswordHash,
  hasOtherAccounts,
  lockAccounts,
  profileOf,
  removeAccount,
  saveProfile
} from './store.ts'

interface Dependencies {
  database: Database
  bus: Pick<Bus, 'tell'>
  revocations: Revocations
  passwords: Passwords
}

export interface Profiles {
  load(ownerId: string): Promise<Profile>
  save(ownerId: string, changes: ProfileChanges): Promise<Profile>
  /** Removes the account and everything it has. */
  remove(ownerId: string, password: string): Promise<void>
}

export function createProfiles({ database, bus, revocations, passwords }: Dependencies): Profiles {
  return {
    async load(ownerId) {
      const [profile] = await database.readOneInOwner(ownerId, profileOf({ ownerId }))
      return orGone(profile)
    },
    async save(ownerId, changes) {
      const checked = checkChanges(changes)
      return database.inOwner(ownerId, async (tx) => {
        // Whoever works for the owner anywhere has it in mind.
        if (checked.monthlyBudget !== undefined) await bus.tell(tx, 'budget', ownerId)
        return orGone(await saveProfile(tx, ownerId, checked))
      })
    },
    async remove(ownerId, password) {
      const hash = orGone(await database.readInOwner(ownerId, (tx) => findPasswordHash(tx, ownerId)))
      if (!(await passwords.verify(hash, password))) throw new PasswordWrong()
      await database.inOwner(ownerId, async (tx) => {
        await lockAccounts(tx)
        const { role } = orGone(await findAccount(tx, ownerId))
        // No call makes a second administrator, so an administrator is the last one.
        if (role === 'admin' && (await hasOtherAccounts(tx))) throw new LastAdministrator()
        await removeAccount(tx, ownerId)
        await revocations.announce(tx, ownerId)
      })
    }
  }
}

/** An access token may outlive its account by some minutes. */
function orGone<T>(found: T | undefined): T {
  if (found === undefined) throw new TokenInvalid()
  return found
}

function checkChanges(changes: ProfileChanges): ProfileChanges {
  const { name, timezone, locale } = changes
  if (timezone !== undefined && !isTimezone(timezone)) throw new TimezoneInvalid()
  return {
    ...changes,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(locale === undefined ? {} : { locale: canonicalLocale(locale) })
  }
}

function isTimezone(name: string): boolean {
  // Intl takes offsets such as +02:00 as well, which know nothing of summer time.
  if (!/^[a-z]/i.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function canonicalLocale(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag
  } catch (cause) {
    throw new LocaleInvalid({ cause })
  }
}
