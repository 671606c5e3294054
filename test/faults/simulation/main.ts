import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { type Acknowledged, converse, intrude, type Plan } from './client.ts'
import { openInMemory } from './database.ts'
import { checkStored } from './stored.ts'
import { forgetTimers, passTime, takeClock } from './time.ts'
import { type DatabaseFault, openWorld } from './world.ts'

/** Steps a play may take until everybody has heard the end: many times what any needs. */
const MAX_STEPS = 5_000
const TOLD_EVERY = 50

/** How far it is, told to whoever started this. */
export interface Told {
  played: number
  acknowledged: number
  failure?: string
}

const [seed = 1, rounds = 10] = process.argv.slice(2).map(Number)
takeClock()
const database = await openInMemory()
let played = 0
let acknowledgedInAll = 0

const plan: fc.Arbitrary<Plan> = fc.record({
  deltas: fc.array(fc.constantFrom('Bees ', 'in Tromsø ', '🐝 '), { maxLength: 3 }),
  ending: fc.constantFrom('done', 'done', 'done', 'fails', 'hangs'),
  lostAnswers: fc.nat(2),
  impatient: fc.boolean(),
  readsOf: fc.integer({ min: 1, max: 4 }),
  stops: fc.boolean()
})
const conversation = fc.array(plan, { minLength: 1, maxLength: 2 })

/** Plays one schedule of everything that can happen, and looks at what is left of it. */
async function play(
  scheduler: fc.Scheduler,
  { mine, others, crashes, deafs, picks, databaseFaults }: Drawn
): Promise<void> {
  const world = await openWorld(database, scheduler, picks, databaseFaults)
  const [ownerId, stranger] = [await createOwner(), await createOwner()]
  const acknowledged: Acknowledged[] = []
  let over = false
  let failure: unknown
  const everybody = Promise.all([
    ...mine.map((plans, index) => converse(world, ownerId, `Ada ${index}`, plans, acknowledged)),
    converse(world, stranger, 'Bob', others, acknowledged),
    intrude(world, stranger, acknowledged),
    trouble(crashes, world.crash),
    trouble(deafs, world.deafen)
  ]).catch((error) => {
    failure = error
  })
  everybody.then(() => {
    over = true
  })

  async function trouble(delays: number[], strike: () => Promise<void>): Promise<void> {
    for (const delay of delays) {
      for (let gates = 0; gates < delay; gates++) await world.gate('trouble on its way')
      await strike()
    }
  }
  async function timePasses(): Promise<void> {
    while (!over) {
      await world.gate('time passes')
      passTime()
    }
  }
  timePasses()

  for (let steps = 0; ; steps++) {
    await world.quiet()
    if (over) break
    if (steps === MAX_STEPS) throw new Error('somebody waits for an end that does not come')
    await scheduler.waitNext(1)
  }
  for (const node of world.nodes) node.die()
  forgetTimers()
  if (failure) throw failure
  if (world.bugs.length > 0) throw world.bugs[0]
  await checkStored(database.pool, [ownerId, stranger], acknowledged, world.asked)
  acknowledgedInAll += acknowledged.length
  if (++played % TOLD_EVERY === 0) tell({ played, acknowledged: acknowledgedInAll })
}

interface Drawn {
  mine: Plan[][]
  others: Plan[]
  crashes: number[]
  deafs: number[]
  picks: number[]
  databaseFaults: DatabaseFault[]
}

async function createOwner(): Promise<string> {
  const id = uuidv7()
  await database.pool.query(
    `INSERT INTO users (id, email, name, role, password_hash) VALUES ($1::uuid, $1::text, 'Ada', 'member', '-')`,
    [id]
  )
  return id
}

function tell(told: Told): void {
  process.send?.(told)
  if (!process.send) console.log(told)
}

const drawn = fc.record({
  mine: fc.array(conversation, { minLength: 1, maxLength: 2 }),
  others: conversation,
  crashes: fc.array(fc.nat(25), { maxLength: 2 }),
  deafs: fc.array(fc.nat(25), { maxLength: 1 }),
  picks: fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }),
  databaseFaults: fc.array(
    fc.constantFrom<DatabaseFault>(...Array<DatabaseFault>(8).fill('none'), 'before', 'after'),
    { maxLength: 80, size: 'max' }
  )
})
try {
  await fc.assert(fc.asyncProperty(fc.scheduler(), drawn, play), {
    seed,
    numRuns: rounds,
    endOnFailure: true
  })
  tell({ played, acknowledged: acknowledgedInAll })
} catch (error) {
  // Its message says how to play it again.
  const { message, cause } = error as Error
  tell({ played, acknowledged: acknowledgedInAll, failure: `${message}\n${(cause as Error)?.stack ?? ''}` })
}
process.exit(0)
