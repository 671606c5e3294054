import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { openHouse } from './house.ts'
import type { Figure } from './report.ts'
import { measureAccepted, measureRate } from './turn/accepted.ts'
import { rememberSome } from './turn/ask.ts'
import { measureFirstToken } from './turn/first-token.ts'
import { measureIdle, measureMany } from './turn/streams.ts'

const PARTS = ['accepted', 'first-token', 'rate', 'idle', 'many']

/** What PAI adds to a chat turn, and how many it bears. `--part` measures one part alone. */
export async function benchTurn(args: string[]): Promise<Figure[]> {
  const { values } = parseArgs({ args, options: { part: { type: 'string', multiple: true } } })
  const parts = new Set(values.part ?? PARTS)
  const unknown = [...parts].filter((part) => !PARTS.includes(part))
  if (unknown.length > 0)
    throw new Error(`No such part: ${unknown.join(', ')}. There are ${PARTS.join(', ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'pai-bench-'))
  const figures: Figure[] = []
  try {
    if (['accepted', 'first-token', 'rate'].some((part) => parts.has(part))) {
      const house = await openHouse()
      try {
        await rememberSome(house.url, house.authorization)
        await analyze(house.databaseUrl)
        figures.push(...(await measureAccepted(house)))
        if (parts.has('first-token')) figures.push(...(await measureFirstToken(house)))
        if (parts.has('rate')) figures.push(...(await measureRate(house, folder)))
      } finally {
        await house.close()
      }
    }
    if (parts.has('idle')) figures.push(...(await measureIdle()))
    if (parts.has('many')) figures.push(...(await measureMany()))
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Autovacuum would have done it within the minute; a new table's guesses are not what people work with. */
async function analyze(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('ANALYZE')
  await client.end()
}
