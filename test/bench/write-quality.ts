import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { type House, openHouse, post, register } from './house.ts'
import type { Figure } from './report.ts'

const FOLDER = join(import.meta.dirname, 'write-quality')
/** Memories that hold: the rest has ended, or waits for approval. */
const CURRENT = new Set(['active', 'unconfirmed', 'conflicting'])

/** Something a memory may say: each group needs one of its words, in any case. */
export interface Statement {
  fact: string
  words: string[][]
}

export interface Case {
  id: string
  kind: string
  sessions: { at: string; messages: { role: string; name?: string; content: string }[] }[]
  /** What memory must hold afterwards, what must be gone (and what took its place), and what it may hold. */
  holds: Statement[]
  gone: (Statement & { replacedBy?: number | null })[]
  optional?: Statement[]
}

interface Kept {
  text: string
  status: string
}

export interface Counts {
  cases: number
  kept: number
  junk: number
  holds: number
  found: number
  duplicated: number
  wronglyEnded: number
  gone: number
  stale: number
  changes: number
  applied: number
}

/** A fault worth looking at: `--list` prints them. */
type Note = (kind: keyof Counts, id: string, what: string) => void

/**
 * What memory makes of scripted conversations, through the product's own way in, with the rules. Only the cases the rules
 * may be written from, unless `--all` asks for those kept aside as well, which are reported apart. `--cases` names another
 * folder of such cases, and `--part` what the names of its files begin with.
 */
export async function benchWriteQuality(args: string[]): Promise<Figure[]> {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      cases: { type: 'string' },
      part: { type: 'string', default: 'dev' }
    }
  })
  const folder = values.cases ?? FOLDER
  const house = await openHouse({ OPENAI_BASE_URL: '', PAI_CHAT_MODEL: 'offline' })
  const database = new pg.Pool({ connectionString: house.databaseUrl, max: 1 })
  try {
    const figures = await measure(house, database, folder, values.part, values.list)
    if (!values.all) return figures
    return [...figures, ...(await measure(house, database, folder, 'kept-aside', false))]
  } finally {
    await database.end()
    await house.close()
  }
}

async function measure(
  house: House,
  database: pg.Pool,
  folder: string,
  part: string,
  list: boolean
): Promise<Figure[]> {
  const cases = globSync(`${part}-*.json`, { cwd: folder })
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Case[])
  const owners = new Map<string, string>()
  for (const { id } of cases) owners.set(id, await register(house.url, `${id}@example.com`))
  const rounds = Math.max(...cases.map(({ sessions }) => sessions.length))
  for (let round = 0; round < rounds; round++) {
    for (const { id, sessions } of cases) {
      const session = sessions[round]
      if (session) await importSession(house, owners.get(id) ?? '', session)
    }
    // What is said next is heard with all of it known.
    await untilLearnt(database)
  }
  const byKind = new Map<string, Counts>()
  const note: Note = (kind, id, what) => list && console.log(`${kind} ${id}: ${what}`)
  for (const item of cases) {
    const counts = byKind.get(item.kind) ?? newCounts()
    byKind.set(item.kind, counts)
    score(item, await listMemories(house, owners.get(item.id) ?? ''), counts, note)
  }
  console.log(`${part}: ${cases.length} conversations`)
  console.table(Object.fromEntries([...byKind].map(([kind, counts]) => [kind, counts])))
  return toFigures(part, total([...byKind.values()]))
}

async function importSession(house: House, authorization: string, session: Case['sessions'][number]) {
  const start = new Date(session.at).getTime()
  const messages = session.messages.map((message, index) => ({
    ...message,
    createdAt: new Date(start + index * 60_000).toISOString()
  }))
  await post(`${house.url}/v1/conversations/import`, authorization, { messages, extract: true })
}

/** Waits until no extraction is waiting, running or to be tried again. */
async function untilLearnt(database: pg.Pool): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM pgboss.job WHERE name = 'memory.extract' AND state < 'completed'`
    )
    if (rows[0]?.open === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function listMemories(house: House, authorization: string): Promise<Kept[]> {
  const response = await fetch(`${house.url}/v1/memories?limit=200`, { headers: { authorization } })
  const { items } = (await response.json()) as { items: Kept[] }
  return items
}

export function score(
  { id, holds, gone, optional = [] }: Case,
  memories: Kept[],
  counts: Counts,
  note: Note
): void {
  const current = memories.filter(({ status }) => CURRENT.has(status))
  const ended = memories.filter(({ status }) => status === 'superseded' || status === 'expired')
  const welcome = [...holds, ...optional, ...gone]
  counts.cases++
  counts.kept += current.length
  for (const { text } of current) {
    if (welcome.some((statement) => says(text, statement))) continue
    counts.junk++
    note('junk', id, text)
  }
  for (const hold of holds) {
    const saying = current.filter(({ text }) => says(text, hold))
    counts.holds++
    if (saying.length > 0) counts.found++
    else note('found', id, `NOT ${hold.fact}`)
    if (saying.length > 1) {
      counts.duplicated++
      note('duplicated', id, saying.map(({ text }) => text).join(' || '))
    }
    if (saying.length === 0 && ended.some(({ text }) => says(text, hold))) {
      counts.wronglyEnded++
      note('wronglyEnded', id, hold.fact)
    }
  }
  for (const statement of gone) {
    const stale = current.filter(({ text }) => says(text, statement))
    counts.gone++
    if (stale.length > 0) {
      counts.stale++
      note('stale', id, stale.map(({ text }) => text).join(' || '))
    }
    const successor = holds[statement.replacedBy ?? -1]
    if (!successor) continue
    counts.changes++
    if (stale.length === 0 && current.some(({ text }) => says(text, successor))) counts.applied++
  }
}

export function says(text: string, { words }: Statement): boolean {
  const lower = text.toLowerCase()
  return words.every((group) => group.some((word) => lower.includes(word.toLowerCase())))
}

export function newCounts(): Counts {
  return {
    cases: 0,
    kept: 0,
    junk: 0,
    holds: 0,
    found: 0,
    duplicated: 0,
    wronglyEnded: 0,
    gone: 0,
    stale: 0,
    changes: 0,
    applied: 0
  }
}

function total(all: Counts[]): Counts {
  const sum = newCounts()
  for (const counts of all) for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name]
  return sum
}

function toFigures(part: string, counts: Counts): Figure[] {
  const share = (name: string, value: number, of: number, goal: Figure['goal']): Figure => ({
    name: `${part}: ${name}`,
    value: of === 0 ? 0 : value / of,
    unit: 'share',
    ...(goal ? { goal } : {})
  })
  const { kept, junk, holds, found, duplicated, wronglyEnded, gone, stale, changes, applied } = counts
  return [
    share('junk among what is kept', junk, kept, { at: 'most', value: 0.02 }),
    share('facts kept more than once', duplicated, holds, { at: 'most', value: 0 }),
    share('facts ended wrongly', wronglyEnded, holds, { at: 'most', value: 0 }),
    share('stale facts', stale, gone, { at: 'most', value: 0.05 }),
    share('facts found', found, holds, { at: 'least', value: 0.7 }),
    share('changes of fact applied', applied, changes, { at: 'least', value: 0.8 })
  ]
}
