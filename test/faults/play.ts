import { describe, expect, onTestFinished, test } from 'vitest'
import { type DatabaseKind, hasDatabase } from '../support/database.ts'
import { newTally } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { openRig } from './rig.ts'

/** A few rounds of each program on one kind of database: `npm run faults` plays them whole. */
export function playOn(kind: DatabaseKind): void {
  describe.skipIf(!hasDatabase(kind))(`ill-treated (${kind})`, () => {
    for (const { id, title, databases, rounds, impossible, reply, run } of PROGRAMS) {
      if (!databases.includes(kind)) continue
      test.skipIf(impossible?.())(
        `${id}: ${title}`,
        async () => {
          const seed = Number(process.env.PAI_TEST_SEED || Date.now() % 1_000_000)
          const rig = await openRig({ kind, seed, reply })
          onTestFinished(() => rig.close())
          const tally = newTally()
          await run(rig, rounds.quick, tally)
          expect({ ...tally, seed }).toMatchObject({ lost: 0, doubled: 0, broken: [] })
          expect(tally.acknowledged, 'turns acknowledged').toBeGreaterThan(0)
        },
        180_000
      )
    }
  })
}
