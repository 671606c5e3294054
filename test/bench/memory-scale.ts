import pg from 'pg'
import { connectPostgres } from '../../src/db/postgres.ts'
import { buildVectorIndex } from '../../src/db/vector-index.ts'
import { findCandidates } from '../../src/memory/recall/candidates.ts'
import { offeredFor } from '../../src/memory/recall/recall.ts'
import { LARGE_OWNER, readSearchSettings } from '../../src/memory/recall/search-settings.ts'
import { openHouse } from './house.ts'
import { type Figure, median, quantile } from './report.ts'

const MEMORIES = 300_000
const OWNERS = 500
const LARGEST = 32_000
const DIMENSIONS = 512
const MODEL = 'bench:vectors:512'
const QUERIES = 200
const TERMS = 6
/** In how many directions texts of one subject differ. */
const DIRECTIONS = 24
const VOCABULARY = 5_000
/** What each way offers a search for ten. */
const OFFERED = offeredFor(10)

/**
 * Memory search in a database of many owners, through the product's own statement, beside a bare vector query on a
 * connection of its own, interleaved. Vectors lie in clusters, as those of texts do.
 */
export async function benchMemoryScale(): Promise<Figure[]> {
  const house = await openHouse()
  const database = connectPostgres(house.databaseUrl, 2)
  const client = new pg.Client({ connectionString: house.databaseUrl })
  try {
    await client.connect()
    const sizes = zipf()
    const started = Date.now()
    await load(client, sizes)
    const loaded = Date.now()
    const index = { kind: 'memory', model: MODEL, dimensions: DIMENSIONS } as const
    await buildVectorIndex(database, undefined, { ...index, rows: true })
    for (const [rank, size] of sizes.entries()) {
      if (size < LARGE_OWNER) continue
      await buildVectorIndex(database, undefined, { ...index, ownerId: ownerAt(rank) })
    }
    const seconds = (from: number, to: number) => Math.round((to - from) / 1000)
    console.log(
      `${MEMORIES} memories loaded in ${seconds(started, loaded)} s, indexed in ${seconds(loaded, Date.now())} s`
    )
    await client.query('VACUUM ANALYZE')
    await client.query('SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 100')
    const figures: Figure[] = []
    for (const [name, rank] of Object.entries({ largest: 0, middle: 20, small: OWNERS - 1 })) {
      figures.push(...(await measure(name, ownerAt(rank), sizes[rank] ?? 0)))
    }
    return figures
  } finally {
    await client.end()
    await database.close()
    await house.close()
  }

  async function measure(name: string, owner: string, size: number): Promise<Figure[]> {
    const { rows } = await client.query<{ values: string; terms: string[] }>(
      `SELECT (SELECT l2_normalize(v.embedding + n.v)::text FROM memory_vectors v, noises n
                WHERE v.owner_id = $1 AND v.id = m.id AND n.id = m.noise) AS values,
              ARRAY(SELECT term FROM memory_terms t WHERE t.owner_id = $1 AND t.id = m.id AND term <> '' LIMIT 3) AS terms
         FROM (SELECT id, 1 + floor(random() * 2000)::int AS noise FROM memories WHERE owner_id = $1 ORDER BY random() LIMIT $2) m`,
      [owner, QUERIES]
    )
    // Recall looks this up once a minute.
    const { large } = await database.readInOwner(owner, (tx) => readSearchSettings(tx, owner, []))
    const product: number[] = []
    const bare: number[] = []
    let found = 0
    let wanted = 0
    let short = 0
    // Beforehand: reading all of a large owner's vectors between two searches would push out what searches keep in memory.
    const exact: string[][] = []
    for (const { values } of rows) {
      const nearest = await client.query<{ id: string }>(
        'SELECT id FROM memory_vectors WHERE owner_id = $1 AND model = $2 ORDER BY embedding <=> $3::halfvec LIMIT 10',
        [owner, MODEL, values]
      )
      exact.push(nearest.rows.map(({ id }) => id))
    }
    for (const [index, { values, terms }] of [...rows, ...rows].entries()) {
      const vector = { model: MODEL, dimensions: DIMENSIONS, values: JSON.parse(values) }
      const began = performance.now()
      const candidates = await database.searchInOwner(owner, (tx) =>
        findCandidates(tx, owner, {
          offered: OFFERED,
          kinds: ['memory'],
          terms,
          names: [],
          vector,
          large,
          now: new Date()
        })
      )
      const searched = performance.now()
      await client.query(
        `SELECT id, embedding::halfvec(${DIMENSIONS}) <=> $3::halfvec(${DIMENSIONS}) FROM memory_vectors
          WHERE owner_id = $1 AND model = $2 ORDER BY 2 LIMIT ${OFFERED}`,
        [owner, MODEL, values]
      )
      // The first round warms both up.
      if (index < rows.length) continue
      product.push(searched - began)
      bare.push(performance.now() - searched)
      const near = candidates
        .filter(({ similarity }) => similarity !== null)
        .sort((a, b) => (b.similarity ?? 0) - (a.similarity ?? 0))
        .slice(0, 10)
      const ids = new Set(near.map(({ id }) => id))
      const nearest = exact[index - rows.length] ?? []
      found += nearest.filter((id) => ids.has(id)).length
      wanted += nearest.length
      if (near.length < nearest.length) short++
    }
    const of = `${name} owner (${size} memories)`
    return [
      { name: `recall@10, ${of}`, value: found / wanted, unit: 'share', goal: { at: 'least', value: 0.99 } },
      { name: `short results, ${of}`, value: short, unit: 'searches', goal: { at: 'most', value: 0 } },
      {
        name: `p50, ${of}`,
        value: median(product),
        unit: 'ms',
        floor: median(bare),
        goal: { at: 'most', value: 3 }
      },
      {
        name: `p99, ${of}`,
        value: quantile(product, 0.99),
        unit: 'ms',
        floor: quantile(bare, 0.99),
        goal: { at: 'most', value: 15 }
      }
    ]
  }
}

function ownerAt(rank: number): string {
  return `00000000-0000-7000-8000-${String(rank).padStart(12, '0')}`
}

/** How many memories each owner has: few have many, by a power of their rank that makes the sum come out. */
function zipf(): number[] {
  const sizesFor = (power: number) =>
    Array.from({ length: OWNERS }, (_, rank) => Math.round(LARGEST / (rank + 1) ** power))
  let [low, high] = [0.5, 2]
  for (let step = 0; step < 40; step++) {
    const power = (low + high) / 2
    const total = sizesFor(power).reduce((sum, size) => sum + size, 0)
    if (total > MEMORIES) low = power
    else high = power
  }
  return sizesFor(high)
}

/** Straight into the tables, without triggers and in no order: what is measured is searching. */
async function load(client: pg.Client, sizes: number[]): Promise<void> {
  const vectors = (count: number, length: number) => `SELECT s.id,
    array_agg((random() - 0.5) * ${length * Math.sqrt(12 / DIMENSIONS)})::real[]::vector::halfvec AS v
    FROM generate_series(1, ${count}) s (id), generate_series(1, ${DIMENSIONS}) GROUP BY s.id`
  await client.query(`SET session_replication_role = replica; SELECT setseed(0.5)`)
  // As with texts: a part that all share, forty topics, a thousand subjects and each text's own, which scatter in few
  // directions. Scattered in all of them, everything would be equally far from everything, and each subject an island.
  await client.query(`CREATE TABLE topics AS SELECT topic.id, topic.v + shared.v AS v
    FROM (${vectors(40, 0.6)}) topic, (${vectors(1, 0.6)}) shared`)
  for (const [table, made] of Object.entries({
    centres: scatter(1, 1_000, 0.6),
    noises: scatter(2, 2_000, 0.4)
  })) {
    await client.query(
      `CREATE TABLE ${table} AS SELECT id, v::halfvec AS v FROM unnest($1::text[]) WITH ORDINALITY AS made (v, id)`,
      [made]
    )
  }
  await client.query(`ALTER TABLE centres ADD PRIMARY KEY (id); ALTER TABLE noises ADD PRIMARY KEY (id)`)
  await client.query(
    `INSERT INTO users (id, email, name, role, password_hash)
      SELECT id::uuid, id || '@example.com', 'Bench', 'member', '-' FROM unnest($1::text[]) id`,
    [sizes.map((_, rank) => ownerAt(rank))]
  )
  await client.query(
    // Sorted by random() where it is also chosen by random(), all choices of a row would be one.
    `CREATE TABLE plan AS SELECT * FROM (
      SELECT owner::uuid AS owner_id, gen_random_uuid() AS id, 1 + floor(random() * 1000)::int AS centre,
             1 + floor(random() * 2000)::int AS a, 1 + floor(random() * 2000)::int AS b
        FROM unnest($1::text[], $2::int[]) AS owners (owner, size), generate_series(1, size) OFFSET 0) made ORDER BY random()`,
    [sizes.map((_, rank) => ownerAt(rank)), sizes]
  )
  await client.query(`INSERT INTO memories (owner_id, id, text, text_hash, category, importance, status)
    SELECT owner_id, id, 'memory ' || id, sha256(id::text::bytea), 'fact', 0.5, 'active' FROM plan`)
  await client.query(
    `INSERT INTO memory_vectors (owner_id, id, model, embedding)
      SELECT plan.owner_id, plan.id, $1, l2_normalize(topics.v + centres.v + a.v + b.v) FROM plan
        JOIN centres ON centres.id = plan.centre JOIN topics ON topics.id = plan.centre % 40 + 1
        JOIN noises a ON a.id = plan.a JOIN noises b ON b.id = plan.b`,
    [MODEL]
  )
  // Words are rare and common as words are; the square makes the first of the vocabulary the commonest.
  await client.query(`INSERT INTO memory_terms (owner_id, id, term, weight)
    SELECT DISTINCT plan.owner_id, plan.id, 'w' || floor(random() * random() * ${VOCABULARY})::int, 1
      FROM plan, generate_series(1, ${TERMS})`)
  await client.query(
    `INSERT INTO memory_terms (owner_id, id, term, weight) SELECT owner_id, id, '', 0 FROM plan`
  )
  await client.query(`INSERT INTO term_counts (owner_id, kind, term, count)
    SELECT owner_id, 'memory', term, count(*) FROM memory_terms GROUP BY owner_id, term`)
  await client.query('RESET session_replication_role')
  await client.query('VACUUM ANALYZE')
}

/** Vectors of about this length in a few random directions, the same each time. */
function scatter(seed: number, count: number, length: number): string[] {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32 - 0.5
  }
  const basis = Array.from({ length: DIRECTIONS }, () => Array.from({ length: DIMENSIONS }, random))
  const scale = (length * 12) / Math.sqrt(DIRECTIONS * DIMENSIONS)
  return Array.from({ length: count }, () => {
    const sum = new Array<number>(DIMENSIONS).fill(0)
    for (const direction of basis) {
      const share = random() * scale
      for (const [place, value] of direction.entries()) sum[place] = (sum[place] ?? 0) + share * value
    }
    return JSON.stringify(sum.map((value) => Number(value.toPrecision(5))))
  })
}
