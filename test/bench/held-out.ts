/**
 * What the rules make of conversations whose author they have learnt nothing from: each author's in turn, with weights made
 * from the others'. `node test/bench/held-out.ts`, with `--list` every fault. No database, so that it takes a minute.
 */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { weighLinks } from '../../src/memory/extraction/links.ts'
import { featuresOf } from '../../src/memory/extraction/worth.ts'
import { replay } from './replay.ts'
import * as links from './train-links.ts'
import * as worth from './train-worth.ts'
import { type Case, type Counts, newCounts, score } from './write-quality.ts'

const CASES = join(import.meta.dirname, 'write-quality')
/** Whose conversations are in which files. */
const AUTHORS = {
  dev: 'dev-[0-9]*.json',
  'dev-one': 'dev-one-*.json',
  'dev-two': 'dev-two-*.json',
  'dev-three': 'dev-three-*.json',
  'dev-four': 'dev-four-*.json',
  checked: 'checked-*.json'
}

const learnt = Object.entries(AUTHORS).map(([name, pattern]) => {
  const files = globSync(pattern, { cwd: CASES }).sort()
  const examples = files.flatMap((file) => [...worth.readConversations(file)])
  return { name, files, examples, pairs: links.readConversations(files) }
})
const plain = [...worth.readPlain()]
const changes = [...links.readChanges(), ...links.readUnlinked()]
const total = newCounts()
const rows: Record<string, ReturnType<typeof toShares>> = {}
for (const { name, files } of learnt) {
  const others = learnt.filter((one) => one.name !== name)
  const worths = worth.trainWorth([...others.flatMap(({ examples }) => examples), ...plain])
  const by = links.trainLinks([...others.flatMap(({ pairs }) => pairs), ...changes])
  const counts = newCounts()
  for (const item of files.flatMap((file) => JSON.parse(readFileSync(join(CASES, file), 'utf8')) as Case[])) {
    const held = replay(
      item,
      (weighed) => featuresOf(weighed).reduce((sum, feature) => sum + (worths.get(feature) ?? 0), 0),
      (heard, standing) => weighLinks(heard, standing, by)
    )
    score(item, held, counts, (kind, id, what) => {
      if (process.argv.includes('--list')) console.log(`${kind} ${id}: ${what}`)
    })
  }
  rows[name] = toShares(counts)
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key]
}
console.table({ ...rows, all: toShares(total) })

function toShares(counts: Counts) {
  const { cases, kept, junk, holds, found, duplicated, wronglyEnded, gone, stale, changes, applied } = counts
  const share = (part: number, whole: number) => (part / Math.max(1, whole)).toFixed(3)
  return {
    cases,
    junk: share(junk, kept),
    duplicates: share(duplicated, holds),
    'ended wrongly': share(wronglyEnded, holds),
    stale: share(stale, gone),
    found: share(found, holds),
    'changes applied': share(applied, changes)
  }
}
