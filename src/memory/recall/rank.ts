import { analyzeTerms } from '../../search/analyze.ts'
import type { RecallItem } from '../schemas.ts'
import type { Candidate } from './candidates.ts'
import { retention } from './strength.ts'
import { isWithin, type TimeRange } from './times.ts'

/** How much each way counts beside the others: vectors of meaning more than vectors of words, which tell little new. */
const LEXICAL = 0.55
const SEMANTIC_VECTOR = 0.45
const WORD_VECTOR = 0.1
/** The entity way: what is by or about the one person the query names counts this much more … */
const ABOUT = 1
/** … and what only mentions a name this much. */
const NAMED = 0.1
/** The time way: what lies in the time a query names counts this much more. */
const IN_TIME = 0.5
/** Where a query asks for a time and nothing else, lying in it is the match. */
const TIME_ALONE = 0.5
/** A question means what is asked, but does not hold the answer. Its words count less already, where they are indexed. */
const QUESTION = /[?？؟]\s*$/
const ASKING = 0.75
/** A message gains this share of the best match in its conversation: what was talked about around it counts. */
const CONVERSATION = { semantic: 0.1, words: 0.2 }
/** A memory is the distilled fact, a message only what was said: of two equal matches the memory stands first. */
const MEMORY_BONUS = 0.25
/** Importance, pins and strength bend the order by at most this much each; they never let in what does not match. */
const IMPORTANCE_BEND = 0.1
const STRENGTH_BEND = 0.1
/** What is contested or only inferred counts less. */
const DOUBT: Partial<Record<NonNullable<Candidate['status']>, number>> = {
  conflicting: 0.85,
  unconfirmed: 0.75
}
/**
 * Where nothing reaches this match, nothing is recalled: better no memory than a wrong one. Calibrated by `npm run bench
 * -- recall -- --calibrate`: the highest tried that costs no more than a quarter of a point of evidence recall, with vectors of words
 * and of meaning alike.
 */
const CUT_OFF = 0.1
/** Where something reaches the cut-off, what has this share of it may be told as well. */
const FLOOR = 0.3
/** What counts as matched by a way. */
const LEXICAL_MATCH = 0.05
const SIMILAR = 0.2

/** Shares of the match, together 1: a way that did not look must not make every match look weak. */
interface Weights {
  lexical: number
  vector: number
}

interface Scored {
  candidate: Candidate
  score: number
}

/** How a query was looked up. */
export interface Lookup {
  query: string
  lexical: boolean
  vector: boolean
  /** Whether the vectors know meaning. */
  semantic: boolean
  /** Whether names count. */
  entity: boolean
  /** The times the query names, and whether it asks for nothing else. */
  times: { ranges: TimeRange[]; alone: boolean }
  now: Date
  /** In place of the calibrated cut-off. */
  minMatch?: number | undefined
}

/** The candidates worth recalling, best first. A message that a recalled memory was taken from is not said twice. */
export function rankCandidates(candidates: Candidate[], lookup: Lookup, limit: number): RecallItem[] {
  const cutOff = lookup.minMatch ?? CUT_OFF
  const weights = weighWays(lookup)
  const asked = lookup.entity ? findAsked(lookup.query, candidates) : null
  const matched = candidates.map((candidate) => ({ candidate, match: matchOf(candidate, weights, lookup) }))
  // One thing that matches well brings the weaker ones with it; where nothing does, nothing is recalled.
  const best = Math.max(0, ...matched.map(({ match }) => match))
  const floor = best >= cutOff ? cutOff * FLOOR : Number.POSITIVE_INFINITY
  const matching = matched
    .filter(({ match }) => match > 0 && match >= floor)
    .map(({ candidate, match }) => ({ candidate, score: match * bendOf(candidate, asked, lookup) }))
  const ranked = addContext(
    matching,
    CONVERSATION[lookup.semantic && lookup.vector ? 'semantic' : 'words']
  ).sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? 1 : -1))
  const sources = new Set(ranked.flatMap(({ candidate }) => candidate.sourceIds ?? []))
  // Where a superseded memory held at the time that is asked for, what came after it did not yet.
  const successors = new Set(ranked.map(({ candidate }) => candidate.supersededBy))
  return ranked
    .filter(({ candidate: { kind, id } }) => !(kind === 'memory' ? successors : sources).has(id))
    .slice(0, limit)
    .map(({ candidate, score }) => toItem(candidate, score, waysOf(candidate, asked, weights, lookup)))
}

function weighWays({ lexical, vector, semantic }: Lookup): Weights {
  const words = lexical ? LEXICAL : 0
  const likeness = vector ? (semantic ? SEMANTIC_VECTOR : WORD_VECTOR) : 0
  const total = words + likeness || 1
  return { lexical: words / total, vector: likeness / total }
}

/** How well a candidate fits the query by itself, 0 to about 1. */
function matchOf({ lexical, similarity, ...candidate }: Candidate, weights: Weights, lookup: Lookup): number {
  const asks = candidate.kind === 'message' && QUESTION.test(candidate.text)
  const likeness = Math.max(similarity ?? 0, 0) * (asks ? ASKING : 1)
  const match = weights.lexical * Math.min(lexical ?? 0, 1) + weights.vector * likeness
  return lookup.times.alone && isInTime(candidate, lookup) ? Math.max(match, TIME_ALONE) : match
}

/** What else makes one match count more than its equal. */
function bendOf(candidate: Candidate, asked: string | null, lookup: Lookup): number {
  const { about, named, importance, pinned, status, strength, category, usedAt } = candidate
  const entity =
    asked !== null && about?.toLowerCase() === asked
      ? ABOUT
      : lookup.entity
        ? NAMED * Math.min(named ?? 0, 1)
        : 0
  const time = isInTime(candidate, lookup) ? IN_TIME : 0
  const weight = IMPORTANCE_BEND * (2 * (pinned ? 1 : (importance ?? 0.5)) - 1)
  const left = usedAt
    ? retention(
        { category: category ?? '', strength: strength ?? 1, pinned: pinned ?? false, usedAt },
        lookup.now
      )
    : 1
  const doubt = status ? (DOUBT[status] ?? 1) : 1
  return (1 + entity) * (1 + time) * (1 + weight - STRENGTH_BEND * (1 - left)) * doubt
}

/** A memory lies in the time it held, or that it was told in; a message in the moment it was said. */
function isInTime(
  { at, validFrom, validTo }: Pick<Candidate, 'at' | 'validFrom' | 'validTo'>,
  { times: { ranges } }: Lookup
): boolean {
  return isWithin(ranges, at, at) || (validFrom !== null && isWithin(ranges, validFrom, validTo ?? validFrom))
}

function addContext(matching: Scored[], share: number): Scored[] {
  const best = new Map<string, number>()
  for (const { candidate, score } of matching) {
    const { conversationId } = candidate
    if (conversationId) best.set(conversationId, Math.max(best.get(conversationId) ?? 0, score))
  }
  return matching.map(({ candidate, score }) => {
    const { conversationId } = candidate
    const context = conversationId ? share * (best.get(conversationId) ?? 0) : MEMORY_BONUS * score
    return { candidate, score: score + context }
  })
}

/** The one speaker or subject the query names; null when it names none or several. */
function findAsked(query: string, candidates: Candidate[]): string | null {
  const asked = new Set(analyzeTerms(query))
  const known = new Set(candidates.flatMap(({ about }) => about?.toLowerCase() ?? []))
  const named = [...known].filter((name) => analyzeTerms(name).some((term) => asked.has(term)))
  return named.length === 1 ? (named[0] ?? null) : null
}

function toItem(candidate: Candidate, score: number, matchedBy: RecallItem['matchedBy']): RecallItem {
  return {
    kind: candidate.kind,
    id: candidate.id,
    text: candidate.text,
    // What bends a match can lift a perfect one to several times itself.
    score: Math.round(Math.min(score, 1) * 1000) / 1000,
    matchedBy,
    at: candidate.at.toISOString(),
    ...(candidate.status ? { status: candidate.status } : {}),
    ...(candidate.conversationId ? { conversationId: candidate.conversationId } : {})
  }
}

/** What has come along with a better match may reach no way's bar: then it is the way that gave most of its own. */
function waysOf(
  candidate: Candidate,
  asked: string | null,
  weights: Weights,
  lookup: Lookup
): RecallItem['matchedBy'] {
  const { named, about } = candidate
  const [lexical, similarity] = [candidate.lexical ?? 0, candidate.similarity ?? 0]
  const isNamed = lookup.entity && ((named ?? 0) > 0 || (asked !== null && about?.toLowerCase() === asked))
  const ways = [
    ...(similarity >= SIMILAR ? ['vector' as const] : []),
    ...(lexical >= LEXICAL_MATCH ? ['lexical' as const] : []),
    ...(isNamed ? ['entity' as const] : []),
    ...(isInTime(candidate, lookup) ? ['time' as const] : [])
  ]
  if (ways.length > 0) return ways
  return [weights.vector * similarity > weights.lexical * lexical ? 'vector' : 'lexical']
}
