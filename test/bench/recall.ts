import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import MiniSearch from 'minisearch'
import pg from 'pg'
import { analyzeTerms } from '../../src/search/analyze.ts'
import { type House, openHouse, post, register } from './house.ts'
import { type LocomoSample, readLocomo } from './locomo.ts'
import type { Figure } from './report.ts'

const DEPTHS = [1, 5, 10, 20] as const
const CATEGORIES: Record<number, string> = {
  1: 'multi-hop',
  2: 'temporal',
  3: 'open-domain',
  4: 'single-hop'
}
const ADVERSARIAL = 5
const DEFAULT_FILE = '../shared/eval/locomo/dev.json'

/** Cut-offs that --calibrate tries. */
const CUT_OFFS = [0.04, 0.06, 0.08, 0.1, 0.12, 0.16, 0.2, 0.24]
const FUSION = 'PAI’s fusion'
const UNCUT = 'PAI’s fusion, no cut-off'

/** The turns found for a question, best first. */
type Find = (question: string) => Promise<string[]>

interface Rows {
  /** The share of a question's evidence among the first 1, 5, 10 and 20, by category. */
  byCategory: Map<number, number[][]>
  /** Of the questions that were made up to have no answer, how often nothing was found. */
  silent: number[]
  /** The same of questions about other people's lives, with these people's names in them. */
  foreign: number[]
  /** Evidence recall@10 of each conversation's questions: a gain in one alone is luck. */
  byConversation: Map<string, number[]>
}

/**
 * Evidence recall on LoCoMo, through the product's own way in: conversations are imported, questions recalled. Options:
 * --file; --embedding-url, --embedding-model and --dimensions for an OpenAI-compatible embedder in place of the offline one;
 * --calibrate for a table of what each cut-off silences and costs, which the product's own is chosen from.
 */
export async function benchRecall(args: string[]): Promise<Figure[]> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', default: process.env.PAI_LOCOMO ?? DEFAULT_FILE },
      'embedding-url': { type: 'string' },
      'embedding-model': { type: 'string', default: 'embedder' },
      dimensions: { type: 'string', default: '384' },
      calibrate: { type: 'boolean', default: false }
    }
  })
  const endpoint = values['embedding-url']
  const samples = readLocomo(values.file)
  const house = await openHouse(
    endpoint
      ? {
          OPENAI_BASE_URL: endpoint,
          PAI_CHAT_MODEL: 'offline',
          PAI_EMBEDDING_MODEL: values['embedding-model'],
          PAI_EMBEDDING_DIMENSIONS: values.dimensions
        }
      : { OPENAI_BASE_URL: '', PAI_CHAT_MODEL: 'offline' }
  )
  try {
    const ways: Record<string, Rows> = {
      'BM25 (MiniSearch)': newRows(),
      'vector only': newRows(),
      'full text only': newRows(),
      [UNCUT]: newRows(),
      [FUSION]: newRows()
    }
    const cuts = values.calibrate ? CUT_OFFS : []
    for (const cut of cuts) ways[`cut off at ${cut}`] = newRows()
    for (const sample of samples) {
      const authorization = await register(house.url, `${sample.id}@example.com`)
      const turnOf = await importSample(house, authorization, sample)
      const foreign = foreignQuestions(sample, samples)
      const recall =
        (how: { ways?: string[]; minMatch?: number } = {}): Find =>
        async (query) => {
          const body = { query, kinds: ['message'], limit: 20, ...how }
          const answer = await post(`${house.url}/v1/recall`, authorization, body)
          const { items } = (await answer.json()) as { items: { id: string }[] }
          return items.map(({ id }) => turnOf.get(id) ?? '')
        }
      await collect(ways['BM25 (MiniSearch)'], sample, foreign, searchLibrary(sample))
      await collect(ways['vector only'], sample, foreign, recall({ ways: ['vector'] }))
      await collect(ways['full text only'], sample, foreign, recall({ ways: ['lexical'] }))
      await collect(ways[UNCUT], sample, foreign, recall({ minMatch: 0 }))
      await collect(ways[FUSION], sample, foreign, recall())
      for (const minMatch of cuts) {
        await collect(ways[`cut off at ${minMatch}`], sample, foreign, recall({ minMatch }))
      }
    }
    printTable(ways)
    printCategories(ways)
    const goal = { at: 'least' as const, value: endpoint ? 0.8 : 0.75 }
    const fused = ways[FUSION] ?? newRows()
    const plain = meanAt(ways['BM25 (MiniSearch)'] ?? newRows(), 10)
    return [
      {
        name: 'evidence recall@10, categories 1 to 4',
        value: meanAt(fused, 10),
        unit: 'share',
        floor: plain,
        goal
      },
      { name: 'adversarial questions answered with nothing', value: mean(fused.silent), unit: 'share' },
      { name: 'questions of other lives answered with nothing', value: mean(fused.foreign), unit: 'share' },
      {
        name: 'what the cut-off costs in evidence recall@10',
        value: meanAt(ways[UNCUT] ?? newRows(), 10) - meanAt(fused, 10),
        unit: 'share'
      }
    ]
  } finally {
    await house.close()
  }
}

/** Imports each session as a conversation. Answers the turn that each message was. */
async function importSample(
  house: House,
  authorization: string,
  { sessions, owner }: LocomoSample
): Promise<Map<string, string>> {
  const turnOf = new Map<string, string>()
  for (const { at, turns } of sessions) {
    const messages = turns.map(({ speaker, text }, index) => ({
      role: speaker === owner ? 'user' : 'assistant',
      name: speaker,
      content: text,
      createdAt: new Date(at.getTime() + index * 60_000).toISOString()
    }))
    const answer = await post(`${house.url}/v1/conversations/import`, authorization, { messages })
    const { messageIds } = (await answer.json()) as { messageIds: string[] }
    for (const [index, id] of messageIds.entries()) turnOf.set(id, turns[index]?.id ?? '')
  }
  await untilEmbedded(house)
  return turnOf
}

/** An embedder elsewhere is asked by a job, after the import has answered. */
async function untilEmbedded({ databaseUrl }: House): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  for (let waiting = true; waiting; await wait(100)) {
    const { rows } = await client.query<{ waiting: boolean }>(`SELECT EXISTS (
      SELECT FROM messages said WHERE NOT EXISTS (
        SELECT FROM message_vectors made WHERE made.owner_id = said.owner_id AND made.id = said.id)) AS waiting`)
    waiting = rows[0]?.waiting ?? false
  }
  await client.end()
}

/** The yardstick: each turn with its speaker, stemmed as PAI stems. */
function searchLibrary({ sessions }: LocomoSample): Find {
  const index = new MiniSearch<{ id: string; text: string }>({
    fields: ['text'],
    tokenize: analyzeTerms,
    processTerm: (term) => term
  })
  index.addAll(
    sessions.flatMap(({ turns }) =>
      turns.map(({ id, speaker, text }) => ({ id, text: `${speaker} ${text}` }))
    )
  )
  return async (question) =>
    index
      .search(question)
      .map(({ id }) => String(id))
      .slice(0, 20)
}

/** Questions that these two people have not talked about, asked of them by name. */
function foreignQuestions(sample: LocomoSample, samples: LocomoSample[]): string[] {
  const namesOf = ({ sessions }: LocomoSample) => [
    ...new Set(sessions.flatMap(({ turns }) => turns.map(({ speaker }) => speaker)))
  ]
  const own = namesOf(sample)
  return samples
    .filter((other) => other !== sample)
    .flatMap((other) =>
      other.questions
        .filter(({ category }, index) => category !== ADVERSARIAL && index % 8 === 0)
        .map(({ text }) =>
          namesOf(other).reduce((asked, name, place) => asked.replaceAll(name, own[place] ?? name), text)
        )
    )
}

async function collect(
  rows: Rows | undefined,
  { id, questions }: LocomoSample,
  foreign: string[],
  find: Find
): Promise<void> {
  for (const question of foreign) rows?.foreign.push((await find(question)).length === 0 ? 1 : 0)
  for (const { text, category, evidence } of questions) {
    if (category !== ADVERSARIAL && evidence.length === 0) continue
    const found = await find(text)
    if (category === ADVERSARIAL) {
      rows?.silent.push(found.length === 0 ? 1 : 0)
      continue
    }
    const shares = DEPTHS.map((depth) => {
      const top = new Set(found.slice(0, depth))
      return evidence.filter((id) => top.has(id)).length / evidence.length
    })
    rows?.byConversation.set(id, [...(rows.byConversation.get(id) ?? []), shares[2] ?? 0])
    rows?.byCategory.set(category, [...(rows.byCategory.get(category) ?? []), shares])
  }
}

function printTable(ways: Record<string, Rows>): void {
  console.table(
    Object.fromEntries(
      Object.entries(ways).map(([name, rows]) => [
        name,
        {
          ...Object.fromEntries(DEPTHS.map((depth) => [`@${depth}`, meanAt(rows, depth).toFixed(3)])),
          ...Object.fromEntries(
            [...rows.byConversation].map(([id, shares]) => [`${id} @10`, mean(shares).toFixed(3)])
          ),
          'silent on adversarial': mean(rows.silent).toFixed(3),
          'on other lives': mean(rows.foreign).toFixed(3)
        }
      ])
    )
  )
}

/** The same by what a question takes, at every depth. */
function printCategories(ways: Record<string, Rows>): void {
  for (const [category, label] of Object.entries(CATEGORIES)) {
    const ofCategory = (rows: Rows) => rows.byCategory.get(Number(category)) ?? []
    console.log(`${label}: ${ofCategory(Object.values(ways)[0] ?? newRows()).length} questions`)
    console.table(
      Object.fromEntries(
        Object.entries(ways).map(([name, rows]) => [
          name,
          Object.fromEntries(
            DEPTHS.map((depth, index) => [
              `@${depth}`,
              mean(ofCategory(rows).map((shares) => shares[index] ?? 0)).toFixed(3)
            ])
          )
        ])
      )
    )
  }
}

function meanAt({ byCategory }: Rows, depth: (typeof DEPTHS)[number]): number {
  const index = DEPTHS.indexOf(depth)
  return mean([...byCategory.values()].flat().map((shares) => shares[index] ?? 0))
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function newRows(): Rows {
  return { byCategory: new Map(), silent: [], foreign: [], byConversation: new Map() }
}
