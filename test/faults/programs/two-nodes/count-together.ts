import { setTimeout as wait } from 'node:timers/promises'
import type { PaiProcess } from '../../pai-process.ts'
import type { Tally } from '../../program.ts'
import type { Rig } from '../../rig.ts'

const LIMIT = 60
const MINUTE_MS = 60_000
/** Counts begin anew with the minute: so much of it must be left to count in. */
const NEEDED_MS = 20_000
/** The nodes tell each other once a second, a busy machine later. */
const TOLD_MS = 3_000
/** How often it is counted anew where the machine was too busy for one minute. */
const TRIES = 3
/** So few of its own that the first node is not at the limit by what it was asked itself. */
const LOOKS = 10

/** What a caller may ask in a minute is counted once for both nodes: each request, wherever it arrives, and none twice. */
export async function countTogether(rig: Rig, tally: Tally): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) if (await countOnce(rig, tally)) return
  tally.broken.push('the machine was too busy to count the requests of a minute')
}

/** False where the minute went by, and with it what was counted. */
async function countOnce(rig: Rig, tally: Tally): Promise<boolean> {
  const settings = { PAI_RATE_LIMIT: String(LIMIT) }
  const [here, there] = [await rig.startNode(settings), await rig.startNode(settings)]
  const accessToken = await rig.register(here)
  const ask = async ({ url }: PaiProcess) =>
    (await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } })).status
  const left = MINUTE_MS - (Date.now() % MINUTE_MS)
  if (left < NEEDED_MS) await wait(left)

  const minute = Math.floor(Date.now() / MINUTE_MS)
  let admitted = 0
  for (; admitted < LIMIT / 2; admitted++) await ask(here)
  await wait(TOLD_MS)
  // The other one asks for them when it has some of its own.
  await ask(there)
  admitted++
  await wait(TOLD_MS)
  while ((await ask(there)) === 200 && admitted <= LIMIT) admitted++
  let elsewhere = await ask(here)
  for (let looks = 1; looks < LOOKS && elsewhere !== 429; looks++) {
    await wait(TOLD_MS / 3)
    elsewhere = await ask(here)
  }
  await Promise.all([here.stop(), there.stop()])
  if (Math.floor(Date.now() / MINUTE_MS) !== minute) return false
  if (admitted !== LIMIT) tally.broken.push(`of ${LIMIT} requests a minute, two nodes admitted ${admitted}`)
  if (elsewhere !== 429) tally.broken.push(`beyond the limit, the first node answered ${elsewhere}`)
  return true
}
