import { parseArgs } from 'node:util'
import MiniSearch from 'minisearch'
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

/** The turns found for a question, best first. */
type Find = (question: string) => Promise<string[]>

interface Rows {
  /** The share of a question's evidence among the first 1, 5, 10 and 20, by category. */
  byCategory: Map<number, number[][]>
  /** Of the questions without an answer, how often nothing was found. */
  silent: number[]
}

/**
 * Evidence recall on LoCoMo, through the product's own way in: conversations are imported, questions recalled. Options:
 * --file, and --embedding-url, --embedding-model and --dimensions for an OpenAI-compatible embedder in place of the offline one.
 */
export async function benchRecall(args: string[]): Promise<Figure[]> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', default: process.env.PAI_LOCOMO ?? DEFAULT_FILE },
      'embedding-url': { type: 'string' },
      'embedding-model': { type: 'string', default: 'embedder' },
      dimensions: { type: 'string', default: '384' }
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
      'PAI’s fusion': newRows()
    }
    for (const sample of samples) {
      const authorization = await register(house.url, `${sample.id}@example.com`)
      const turnOf = await importSample(house, authorization, sample)
      const recall =
        (ways?: string[]): Find =>
        async (query) => {
          const body = { query, kinds: ['message'], limit: 20, ...(ways ? { ways } : {}) }
          const answer = await post(`${house.url}/v1/recall`, authorization, body)
          const { items } = (await answer.json()) as { items: { id: string }[] }
          return items.map(({ id }) => turnOf.get(id) ?? '')
        }
      await collect(ways['BM25 (MiniSearch)'], sample, searchLibrary(sample))
      await collect(ways['vector only'], sample, recall(['vector']))
      await collect(ways['full text only'], sample, recall(['lexical']))
      await collect(ways['PAI’s fusion'], sample, recall())
    }
    printTable(ways)
    const goal = { at: 'least' as const, value: endpoint ? 0.8 : 0.75 }
    const fused = ways['PAI’s fusion'] ?? newRows()
    const plain = meanAt(ways['BM25 (MiniSearch)'] ?? newRows(), 10)
    return [
      {
        name: 'evidence recall@10, categories 1 to 4',
        value: meanAt(fused, 10),
        unit: 'share',
        floor: plain,
        goal
      },
      { name: 'adversarial questions answered with nothing', value: mean(fused.silent), unit: 'share' }
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
  return turnOf
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

async function collect(rows: Rows | undefined, { questions }: LocomoSample, find: Find): Promise<void> {
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
            Object.entries(CATEGORIES).map(([category, label]) => [
              `${label} @10`,
              mean((rows.byCategory.get(Number(category)) ?? []).map((shares) => shares[2] ?? 0)).toFixed(3)
            ])
          ),
          'silent on adversarial': mean(rows.silent).toFixed(3)
        }
      ])
    )
  )
}

function meanAt({ byCategory }: Rows, depth: (typeof DEPTHS)[number]): number {
  const index = DEPTHS.indexOf(depth)
  return mean([...byCategory.values()].flat().map((shares) => shares[index] ?? 0))
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function newRows(): Rows {
  return { byCategory: new Map(), silent: [] }
}
