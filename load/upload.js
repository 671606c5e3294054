// Bringing things along: images for messages, and conversations from elsewhere, each removed again.
import { check } from 'k6'
import http from 'k6/http'
import { Trend } from 'k6/metrics'
import { arrivals, keyOf, newKey, post, remove, thresholds, upload } from './lib.js'
import { conversationOf, imageBytes, SHARES } from './work.ts'

export { setup, teardown } from './lib.js'

const IMPORTED_MESSAGES = 20

const attached = new Trend('pai_attachment', true)
const imported = new Trend('pai_import', true)

export const limits = { pai_attachment: { 'p(95)': 1_000 }, pai_import: { 'p(95)': 1_500 } }

const together = SHARES.attachment + SHARES.conversation

export const options = {
  scenarios: {
    attachment: arrivals('attachment', SHARES.attachment / together),
    bringIn: arrivals('bringIn', SHARES.conversation / together)
  },
  thresholds: thresholds(limits)
}

const image = imageBytes().buffer
const brought = conversationOf(IMPORTED_MESSAGES)

export function attachment(data) {
  const key = keyOf(data)
  const file = http.file(image, 'load.png', 'image/png')
  const response = upload(key, '/v1/attachments', file, 'attachment', newKey('attachment'))
  const kept = check(response, { 'an image is kept': ({ status }) => status === 201 })
  if (!kept) return
  attached.add(response.timings.duration)
  remove(key, `/v1/attachments/${response.json().id}`)
}

export function bringIn(data) {
  const key = keyOf(data)
  const response = post(key, '/v1/conversations/import', brought, 'import', newKey('import'))
  const taken = check(response, {
    'a conversation is imported whole': () =>
      response.status === 201 && response.json().messageIds.length === IMPORTED_MESSAGES
  })
  if (!taken) return
  imported.add(response.timings.duration)
  remove(key, `/v1/conversations/${response.json().conversationId}`)
}
