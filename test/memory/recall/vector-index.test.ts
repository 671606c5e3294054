import { randomUUID } from 'node:crypto'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  buildVectorIndex,
  dropVectorIndexes,
  indexName,
  type VectorIndex
} from '../../../src/db/vector-index.ts'
import { findStanding } from '../../../src/memory/extraction/reconcile-store.ts'
import { type CandidateQuery, findCandidates } from '../../../src/memory/recall/candidates.ts'
import { readSearchSettings } from '../../../src/memory/recall/search-settings.ts'
import { buildTestApp } from '../../support/app.ts'
import { createOwner, describeEachDatabase } from '../../support/database.ts'
import { recordStatements, type Statement } from '../statements.ts'

const DIMENSIONS = 64
const INDEX = { kind: 'memory', model: "a model's vectors", dimensions: DIMENSIONS } as const
const QUERY: CandidateQuery = {
  kinds: ['memory'],
  offered: 100,
  terms: ['bee'],
  names: [],
  vector: { model: INDEX.model, dimensions: DIMENSIONS, values: Array(DIMENSIONS).fill(0.125) },
  now: new Date()
}

describeEachDatabase('the index of vectors', (database, kind) => {
  const owners = { large: '', small: '' }

  beforeAll(async () => {
    for (const [size, count] of [
      ['large', kind === 'postgres' ? 12_000 : 200],
      ['small', 50]
    ] as const) {
      owners[size] = await createOwner(database())
      await database().pool.query(
        `INSERT INTO memories (owner_id, id, text, text_hash, category, importance, status)
           SELECT $1, gen_random_uuid(), 'fact ' || n, sha256(n::text::bytea), 'fact', 0.5, 'active'
             FROM generate_series(1, $2::int) n`,
        [owners[size], count]
      )
    }
    await database().pool.query(
      `INSERT INTO memory_vectors (owner_id, id, model, embedding)
         SELECT m.owner_id, m.id, $1, array_agg(random() - 0.5)::real[]::vector::halfvec
           FROM memories m, generate_series(1, $2::int) GROUP BY m.owner_id, m.id`,
      [INDEX.model, DIMENSIONS]
    )
    // What counts an owner's memories.
    await database().pool.query(
      `INSERT INTO memory_terms (owner_id, id, term, weight)
        SELECT owner_id, id, term, 0 FROM memories, LATERAL (VALUES (''), ('word ' || id)) AS words (term)`
    )
    await database().pool.query('VACUUM ANALYZE')
    expect(await buildVectorIndex(database(), undefined, INDEX)).toBe(true)
  })

  async function planFor(ownerId: string): Promise<string> {
    const { large } = await database().inOwner(ownerId, (tx) => readSearchSettings(tx, ownerId, []))
    const statements = recordStatements(database())
    const query = { ...QUERY, large }
    const found = await database().searchInOwner(ownerId, (tx) => findCandidates(tx, ownerId, query))
    // Never short, whichever way it was found.
    expect(found.length).toBe(Math.min(100, ownerId === owners.small ? 50 : 100))
    const [begin, search] = statements
    return explainKept(begin, search)
  }

  async function explain(before: (Statement | undefined)[], asked: Statement | undefined): Promise<string> {
    return run(before, `EXPLAIN ${asked?.text}`, asked?.values)
  }

  /** The plan that is kept: it knows no values. */
  async function explainKept(begin: Statement | undefined, asked: Statement | undefined): Promise<string> {
    const none = asked?.values.map(() => 'NULL').join() ?? ''
    const before = [begin, { text: `PREPARE asked AS ${asked?.text}` }]
    return run(before, `EXPLAIN EXECUTE asked (${none})`, [], 'DEALLOCATE asked')
  }

  async function run(
    before: (Pick<Statement, 'text'> | undefined)[],
    text: string,
    values: unknown[] = [],
    after = ''
  ): Promise<string> {
    const client = await database().pool.connect()
    try {
      for (const statement of before) await client.query(statement?.text ?? '')
      const { rows } = await client.query(text, values)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    } finally {
      await client.query(`ROLLBACK; ${after}`)
      client.release()
    }
  }

  test('a large owner is searched through the index, a small one row by row', async () => {
    const name = indexName(INDEX)
    if (kind === 'postgres') expect(await planFor(owners.large)).toContain(`Index Scan using ${name}`)
    expect(await planFor(owners.small)).not.toContain(name)
  })

  test('an index of the owner’s own goes before the one that all share', async () => {
    if (kind === 'embedded') return
    const own = { ...INDEX, ownerId: owners.large }
    await buildVectorIndex(database(), undefined, own)
    expect(await planFor(owners.large)).toContain(`Index Scan using ${indexName(own)}`)
    expect(await planFor(owners.small)).not.toMatch(/_(own|hnsw)_/)
  })

  test('an index that has the vectors lie by owner is read in place of the table', async () => {
    if (kind === 'embedded') return
    const rows = { ...INDEX, rows: true }
    await buildVectorIndex(database(), undefined, rows)
    expect(await planFor(owners.small)).toContain(`Index Only Scan using ${indexName(rows)}`)
  })

  test('some have one of their own, further ones share, and who has gone makes room', async () => {
    if (kind === 'embedded') return
    const { pool } = database()
    const many = Array.from({ length: 17 }, () => ({ ...INDEX, model: 'shared', ownerId: randomUUID() }))
    const names = async () =>
      (await pool.query(`SELECT relname FROM pg_class WHERE relname ~ '^memory_vectors_(own|hnsw)_'`)).rows
    const isThere = async (index: VectorIndex) =>
      (await names()).some(({ relname }) => relname === indexName(index))
    const [last, afterLast, ...others] = many as [VectorIndex, VectorIndex, ...VectorIndex[]]
    const own = { ...INDEX, ownerId: owners.large }
    for (const index of [own, ...others]) await buildVectorIndex(database(), undefined, index)
    await pool.query(
      `UPDATE pg_class SET reltuples = 20000 WHERE relname ~ '^memory_vectors_own_' AND reltuples < 1000`
    )
    await buildVectorIndex(database(), undefined, last)
    expect([await isThere(last), await isThere({ ...last, ownerId: undefined })]).toEqual([false, true])
    await pool.query(`UPDATE pg_class SET reltuples = 0 WHERE relname = ANY ($1)`, [others.map(indexName)])
    await buildVectorIndex(database(), undefined, afterLast)
    expect(await isThere(afterLast)).toBe(true)
    for (const index of others) expect(await isThere(index)).toBe(false)
    await dropVectorIndexes(database(), undefined, 'shared')
  })

  test('what a new fact is compared with is found through it as well', async () => {
    if (kind === 'embedded') return
    const statements = recordStatements(database())
    const near = { subject: null, slots: [], terms: [], ids: [], vector: QUERY.vector }
    await database().inOwner(owners.large, (tx) => findStanding(tx, owners.large, near))
    const [begin, settings, comparing] = statements
    const plan = await explain([begin, settings], comparing)
    expect(plan).toMatch(/Index Scan using memory_vectors_(own|hnsw)_/)
  })

  test('the index of a model goes once nobody’s vectors are of it, and no other', async () => {
    if (kind === 'embedded') return
    const { pool } = database()
    const other = { ...INDEX, model: 'another model' }
    const own = { ...other, ownerId: owners.large }
    const rows = { ...other, rows: true }
    for (const index of [other, own, rows]) await buildVectorIndex(database(), undefined, index)
    await pool.query(
      `INSERT INTO vector_models (owner_id, model) VALUES ($1, 'new'), ($2, $3) ON CONFLICT (owner_id) DO UPDATE SET model = excluded.model`,
      [owners.large, owners.small, other.model]
    )
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const remove = (ownerId: string) =>
      house.services.jobs['memory.reembed']({ ownerId, remove: other.model }, new AbortController().signal)
    const isThere = async (index: VectorIndex) =>
      (await pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [indexName(index)])).rows[0].there
    await remove(owners.large)
    expect(await Promise.all([other, own, rows].map(isThere))).toEqual([true, true, true])
    await pool.query(`UPDATE vector_models SET model = 'new'`)
    await remove(owners.small)
    const left = await Promise.all([other, own, rows, INDEX].map(isThere))
    expect(left).toEqual([false, false, false, true])
    await remove(owners.small)
  })

  test('where the first few may not be found, those after them are', async () => {
    const { pool } = database()
    const hidden = `UPDATE memories SET status = $3 WHERE owner_id = $1 AND id IN (SELECT id FROM memory_vectors
      WHERE owner_id = $1 ORDER BY embedding <=> $2::halfvec LIMIT 45)`
    const near = JSON.stringify(QUERY.vector?.values)
    await pool.query(hidden, [owners.small, near, 'proposed'])
    const found = await database().searchInOwner(owners.small, (tx) =>
      findCandidates(tx, owners.small, { ...QUERY, offered: 5 })
    )
    await pool.query(hidden, [owners.small, near, 'active'])
    expect(found.filter(({ similarity }) => similarity !== null)).toHaveLength(5)
  })

  test('the words are read from their index alone', async () => {
    for (const owner of [owners.large, owners.small])
      expect(await planFor(owner)).toContain('Index Only Scan using memory_terms_owner_id_term_id_pk')
  })

  test('what was found is looked up by its key, not among all of the owner’s rows', async () => {
    const plan = await planFor(owners.large)
    if (kind === 'postgres') expect(plan).toContain('Index Scan using memories_owner_id_id_pk on memories')
  })

  test('building it again changes nothing, and what a killed run left behind is built anew', async () => {
    if (kind === 'embedded') return
    const { pool } = database()
    const valid = async () => {
      const sql =
        'SELECT indexrelid AS id, indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)'
      return (await pool.query(sql, [indexName(INDEX)])).rows[0]
    }
    const first = await valid()
    await buildVectorIndex(database(), undefined, INDEX)
    expect(await valid()).toEqual(first)
    await pool.query('UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1', [first.id])
    await buildVectorIndex(database(), undefined, INDEX)
    const anew = await valid()
    expect(anew.valid).toBe(true)
    expect(anew.id).not.toBe(first.id)
  })
})
