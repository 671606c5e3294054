// Finding things again: what a prompt would be built from, and conversations by their words.
import { check } from 'k6'
import { Trend } from 'k6/metrics'
import { arrivals, get, keyOf, post, thresholds } from './lib.js'
import { questionAt, SHARES, wordsAt } from './work.ts'

export { setup, teardown } from './lib.js'

const recalled = new Trend('pai_recall', true)
const searched = new Trend('pai_search', true)

export const limits = { pai_recall: { 'p(95)': 500 }, pai_search: { 'p(95)': 500 } }

const together = SHARES.recall + SHARES.search

export const options = {
  scenarios: {
    recall: arrivals('recall', SHARES.recall / together),
    search: arrivals('search', SHARES.search / together)
  },
  thresholds: thresholds(limits)
}

export function recall(data) {
  const response = post(keyOf(data), '/v1/recall', { query: questionAt(__ITER), limit: 10 }, 'recall')
  if (check(response, { 'recall finds something': found })) recalled.add(response.timings.duration)
}

export function search(data) {
  const words = encodeURIComponent(wordsAt(__ITER))
  const response = get(keyOf(data), `/v1/conversations/search?query=${words}`, 'search')
  if (check(response, { 'a conversation is found': found })) searched.add(response.timings.duration)
}

const found = (response) => response.status === 200 && response.json().items.length > 0
