import { setImmediate as nextTick } from 'node:timers/promises'
import { isStopWord, splitWords, stemWord } from '../search/analyze.ts'
import { weighTerm } from './common-words.ts'
import type { Embedder } from './model.ts'
import { emptyTextVector, toUnitVector } from './unit-vector.ts'

/** A word lands in several places, so that two words rarely share all of them. */
const PLACES_PER_WORD = 4
/** What the pieces of a word weigh together against the word itself. */
const PIECES_WEIGHT = 0.75
const STOP_WORD_WEIGHT = 0.08
const TEXTS_PER_TICK = 32

/**
 * Lexical vectors made on the spot, with no model: texts are near when they share words, or pieces of words.
 * It knows no meaning ("car" is not near "automobile"). The id names the recipe: a change to it is a new id.
 */
export function createOfflineEmbedder(dimensions = 512): Embedder {
  return {
    id: `offline:hash-v1:${dimensions}`,
    dimensions,
    semantic: false,
    local: true,
    async embed(texts, signal) {
      const vectors: number[][] = []
      for (const [index, text] of texts.entries()) {
        // Everything else in the process waits while vectors are made.
        if (index > 0 && index % TEXTS_PER_TICK === 0) await nextTick()
        signal.throwIfAborted()
        vectors.push(embedText(text, dimensions))
      }
      return vectors
    }
  }
}

function embedText(text: string, dimensions: number): number[] {
  const counts = new Map<string, number>()
  for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const vector = new Array<number>(dimensions).fill(0)
  for (const [word, count] of counts) {
    const term = stemWord(word)
    const weight = (isStopWord(word) ? STOP_WORD_WEIGHT : weighTerm(term)) * (1 + Math.log(count))
    addWord(vector, term, weight)
    addPieces(vector, word, weight * PIECES_WEIGHT)
  }
  return toUnitVector(vector) ?? emptyTextVector(dimensions)
}

function addWord(vector: number[], term: string, weight: number): void {
  const share = weight / Math.sqrt(PLACES_PER_WORD)
  let hash = hashRange(`=${term}`, 0, term.length + 1)
  for (let place = 0; place < PLACES_PER_WORD; place++) {
    addAt(vector, hash, share)
    hash = scramble(hash + 0x9e3779b9)
  }
}

/** Pieces of three to five characters, with the word's edges marked. */
function addPieces(vector: number[], word: string, weight: number): void {
  if (word.length < 3) return
  const marked = `<${word}>`
  let count = 0
  for (let size = 3; size <= 5; size++) count += Math.max(0, marked.length - size + 1)
  const share = weight / Math.sqrt(count)
  for (let size = 3; size <= 5; size++) {
    for (let start = 0; start + size <= marked.length; start++) {
      addAt(vector, hashRange(marked, start, start + size), share)
    }
  }
}

function addAt(vector: number[], hash: number, weight: number): void {
  const place = (hash >>> 1) % vector.length
  vector[place] = (vector[place] ?? 0) + (hash & 1 ? weight : -weight)
}

/** FNV-1a over UTF-16 units; the last bits are scrambled because they choose the place and the sign. */
function hashRange(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return scramble(hash)
}

function scramble(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
