import { expect, test } from 'vitest'
import { summaryOf } from '../../src/db/trace-statements.ts'

test('a statement is named by what it does to which tables', () => {
  const named = Object.entries({
    'select "id" from "memories" where "memories"."owner_id" = $1': 'SELECT memories',
    'insert into "turn_events" ("owner_id") values ($1)': 'INSERT turn_events',
    'UPDATE turns SET status = $1 WHERE id = $2': 'UPDATE turns',
    'DELETE FROM stored_answers WHERE id = $1': 'DELETE stored_answers',
    'SELECT * FROM messages JOIN turns ON true FOR UPDATE SKIP LOCKED': 'SELECT messages, SELECT turns',
    'WITH claimed AS (INSERT INTO stored_answers VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = 1), turn AS (INSERT INTO turns SELECT 1 FROM claimed) SELECT * FROM turn':
      'INSERT stored_answers, INSERT turns',
    'INSERT INTO pgboss.job (name) SELECT $1': 'INSERT pgboss.job',
    'SELECT * FROM unnest($1::uuid[]) AS id CROSS JOIN LATERAL (SELECT 1 FROM memories) m':
      'SELECT unnest, SELECT memories',
    COMMIT: 'COMMIT'
  })
  for (const [text, name] of named) expect(summaryOf(text), text).toBe(name)
})

test('nothing of a statement’s values is in its name', () => {
  const ownerId = '01900000-0000-7000-8000-000000000000'
  for (const text of [
    `BEGIN; SET LOCAL ROLE pai_app; SET LOCAL pai.owner_id = '${ownerId}'`,
    `SELECT 'from ottilie', $tag$ join ottilie $tag$ -- from ottilie\n FROM memories WHERE text = 'it''s from ottilie'`
  ])
    expect(summaryOf(text)).not.toMatch(/ottilie|0190/)
  expect(summaryOf(`SELECT ${'x'.repeat(9_000)} FROM ${'y'.repeat(9_000)}`).length).toBeLessThanOrEqual(120)
})

test('of a statement only its beginning is read: an import’s may be half a million characters', () => {
  const long = `INSERT INTO messages VALUES ${'($1),'.repeat(4_000)}`
  expect(summaryOf(`${long} ON CONFLICT DO NOTHING RETURNING (SELECT 1 FROM late)`)).toBe('INSERT messages')
  const cut = `SELECT 1 FROM memories WHERE text = '${' join ottilie'.repeat(2_000)}'`
  expect(summaryOf(cut)).toBe('SELECT memories')
})
