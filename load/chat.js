// Turns: each is stored, recalled for, answered and read to its end, as a stream over HTTP; one of ten over a WebSocket,
// where k6 can see when the first word comes (of an HTTP stream it sees the beginning and the end).
import { check } from 'k6'
import { Trend } from 'k6/metrics'
import { WebSocket } from 'k6/websockets'
import { arrivals, keyOf, newKey, post, remove, thresholds, URL } from './lib.js'
import { isWhole, questionAt, readEvents } from './work.ts'

export { setup, teardown } from './lib.js'

const WHOLE_TURN_MS = 120_000

/** Until the turn is stored and acknowledged; until its first word; until its end. */
const accepted = new Trend('pai_accepted', true)
const firstWord = new Trend('pai_first_word', true)
const whole = new Trend('pai_turn', true)

export const limits = {
  pai_accepted: { 'p(50)': 250, 'p(95)': 500 },
  pai_first_word: { 'p(95)': 3_000 },
  pai_turn: { 'p(95)': 30_000 }
}

export const options = {
  scenarios: { chat: arrivals('chat', 0.9), chatSocket: arrivals('chatSocket', 0.1) },
  thresholds: thresholds(limits)
}

export function chat(data) {
  const key = keyOf(data)
  const body = { message: questionAt(__ITER) }
  const response = post(key, '/v1/chat', body, 'chat', newKey('chat'), 'text/event-stream')
  const events = response.status === 200 ? readEvents(response.body) : []
  if (check(response, { 'a turn is read to its end': () => isWhole(events) })) {
    accepted.add(response.timings.waiting)
    whole.add(response.timings.duration)
  }
  tidy(key, events)
}

export async function chatSocket(data) {
  const key = keyOf(data)
  const began = Date.now()
  let firstWordMs = null
  const events = await new Promise((resolve) => {
    const seen = []
    const socket = new WebSocket(`${URL.replace(/^http/, 'ws')}/v1/ws`)
    const tooLong = setTimeout(() => socket.close(), WHOLE_TURN_MS)
    const send = (message) => socket.send(JSON.stringify(message))
    socket.onopen = () => {
      send({ type: 'authenticate', token: key })
      send({ type: 'chat', idempotencyKey: newKey('socket'), body: { message: questionAt(__ITER) } })
    }
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data)
      if (message.type === 'problem' || message.type === 'ended') return socket.close()
      if (message.type !== 'event') return
      seen.push({ id: message.id, type: message.event, data: message.data })
      if (message.event === 'text-delta') firstWordMs ??= Date.now() - began
      if (message.event === 'done') socket.close()
    }
    socket.onclose = () => {
      clearTimeout(tooLong)
      resolve(seen)
    }
    socket.onerror = () => socket.close()
  })
  const good = check(events, { 'a turn is followed to its end over a socket': isWhole })
  if (good) firstWord.add(firstWordMs)
  tidy(key, events)
}

/** What was said is removed, with what was learnt from it. */
function tidy(key, [turn]) {
  if (turn) remove(key, `/v1/conversations/${turn.data.conversationId}?memories=forget`)
}
