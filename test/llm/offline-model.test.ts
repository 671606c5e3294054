import { describe, expect, test } from 'vitest'
import type { ModelEvent, PromptSource } from '../../src/llm/model.ts'
import { createOfflineModel } from '../../src/llm/offline-model.ts'
import fc from '../support/properties.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'

function source(text: string, fields: Partial<PromptSource> = {}): PromptSource {
  return { index: 1, kind: 'memory', id: 'm1', text, at: '2026-11-22T10:00:00Z', score: 0.5, ...fields }
}

async function stream(message: string, sources: PromptSource[], signal = new AbortController().signal) {
  const events: ModelEvent[] = []
  const prompt = { system: '', messages: [{ role: 'user' as const, content: message }], sources }
  for await (const event of createOfflineModel().stream(prompt, signal)) events.push(event)
  return events
}

async function reply(message: string, ...sources: PromptSource[]): Promise<string> {
  const events = await stream(message, sources)
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
}

describe('a question', () => {
  test('is answered with what is remembered, the day it was told and its citation', async () => {
    expect(await reply('Where does Ada keep her bees?', source(BEES, { index: 2 }))).toBe(
      `You told me on 22 November 2026: ${BEES} [2]`
    )
  })

  test('is answered with a message in marks, since those words were said', async () => {
    expect(await reply('Where does Ada keep her bees?', source(BEES, { kind: 'message' }))).toBe(
      `You told me on 22 November 2026: "${BEES}" [1]`
    )
  })

  test('is answered with the day that it was for the owner', async () => {
    const at = '2026-11-22T23:00:00Z'
    expect(await reply('Where are the bees?', source(BEES, { at, day: '2026-11-23' }))).toMatch(
      /^You told me on 23 November 2026:/
    )
  })

  test('is answered with what no longer holds only where nothing else fits', async () => {
    const old = source('I live in Oslo.', { kind: 'message', status: 'superseded', score: 0.8 })
    const now = source('I live in Bergen.', { index: 2 })
    expect(await reply('Where do I live?', old, now)).toBe(
      'You told me on 22 November 2026: I live in Bergen. [2]'
    )
    expect(await reply('Where do I live?', old)).toContain('"I live in Oslo." [1]')
  })

  test('is not told as said what was only inferred', async () => {
    const text = await reply('Where are the bees?', source(BEES, { status: 'unconfirmed' }))
    expect(text).toBe(`I take it from what you told me, and you have not confirmed it: ${BEES} [1]`)
  })

  test('that has nothing but pronouns and a verb still finds the verb in another form', async () => {
    expect(await reply('Where does she keep them?', source(BEES))).toContain(`${BEES} [1]`)
  })

  test.each([
    'what does my sister do',
    'tell me about Ada',
    'ok, so where are the bees',
    'Ada? Remind me',
    'Do you remember my sister',
    "where's Ada",
    'Ist Ada in Tromsø？'
  ])('is recognised in "%s"', async (message) => {
    expect(await reply(message, source(BEES))).toContain(BEES)
  })

  test('that nothing fits is answered with "I don\'t know yet."', async () => {
    const text = await reply('What is the capital of Mongolia?', source(BEES, { score: 0.4 }))
    expect(text).toMatch(/^I don't know yet\. .*offline mode/)
    expect(text).not.toContain('Ada')
    expect(await reply('Where does Ada live?')).toMatch(/^I don't know yet\./)
  })

  test('that asks nothing of the owner is not answered with whatever was recalled', async () => {
    expect(await reply('How are you?', source(BEES))).toMatch(/^I don't know yet\./)
  })

  test('about the owner as such is answered with what was recalled, documents aside', async () => {
    const passage = source('Bees overwinter in clusters.', { kind: 'passage', index: 2 })
    const text = await reply('What do you know about me?', source('I am a nurse.'), passage)
    expect(text).toContain('I am a nurse. [1]')
    expect(text).not.toContain('[2]')
  })

  test('is answered by a recall that is very sure although no word is shared', async () => {
    expect(await reply('How do I commute?', source('I cycle to work.', { score: 0.95 }))).toContain(
      'I cycle to work.'
    )
  })

  test('gets the best three sources, best first', async () => {
    const places = ['Oslo', 'Bergen', 'Bodø', 'Alta'].map((place, index) =>
      source(`Ada keeps bees in ${place} near the ${place} harbour.`, { index: index + 1, score: index / 10 })
    )
    const text = await reply('Where does Ada keep bees?', ...places)
    expect(text.match(/\[\d\]/g)).toEqual(['[4]', '[3]', '[2]'])
  })

  test('gets no quote that is beside the point next to one that fits', async () => {
    const text = await reply(
      'Where does Ada keep bees?',
      source('Ada drinks tea.', { index: 2 }),
      source(BEES)
    )
    expect(text.match(/\[\d\]/g)).toEqual(['[1]'])
  })

  test('gets the one sentence of a long source that fits', async () => {
    const text = await reply(
      'When does my shift start?',
      source('I am a nurse. My shift starts at 7. I like tea.')
    )
    expect(text).toBe('You told me on 22 November 2026: My shift starts at 7. [1]')
  })

  test('gets the same words once, though a memory and a message hold them', async () => {
    const message = source('my sister Ada keeps bees in Tromsø', { kind: 'message', index: 2 })
    expect((await reply('Where are the bees?', source(BEES), message)).match(/\[\d\]/g)).toEqual(['[1]'])
  })

  test('gets two facts that differ in one word', async () => {
    const oslo = source('My sister Ada keeps bees in Oslo.', { index: 2 })
    expect((await reply('Where does Ada keep bees?', source(BEES), oslo)).match(/\[\d\]/g)).toEqual([
      '[1]',
      '[2]'
    ])
  })

  test('is never answered with a question, least of all with itself', async () => {
    const asked = source('Where does Ada keep her bees?', { kind: 'message' })
    expect(await reply('Where does Ada keep her bees?', asked)).toMatch(/^I don't know yet\./)
    expect(await reply('where is Ada', source('where is Ada', { kind: 'message' }))).toMatch(
      /^I don't know yet\./
    )
  })

  test('is answered from a document without claiming that the owner said it', async () => {
    const passage = source('Bees overwinter in clusters.', { kind: 'passage' })
    expect(await reply('How do bees overwinter?', passage)).toBe(
      'Your documents say: "Bees overwinter in clusters." [1]'
    )
  })

  test("prefers the owner's words to earlier replies, and says whose words they are", async () => {
    const replied = source('Ada keeps bees in Bergen.', {
      kind: 'message',
      role: 'assistant',
      index: 2,
      score: 1
    })
    expect(await reply('Where does Ada keep bees?', replied, source(BEES))).not.toContain('Bergen')
    expect(await reply('Where does Ada keep bees?', replied)).toMatch(/^I replied on .*Bergen/)
  })

  test('leaves out a date that cannot be read', async () => {
    expect(await reply('Where is Ada?', source(BEES, { at: 'yesterday' }))).toBe(`You told me: ${BEES} [1]`)
  })

  test('gets a shortened quote of an endless sentence', async () => {
    const text = await reply('Who is Ada?', source(`Ada ${'and her bees '.repeat(500)}`))
    expect(text.length).toBeLessThan(400)
    expect(text).toContain(' … [1]')
  })
})

describe('anything else', () => {
  test.each(['My sister Ada keeps bees in Tromsø', 'What a day!', 'Write a poem about Ada', ''])(
    '"%s" is acknowledged without quotes',
    async (message) => {
      const text = await reply(message, source(BEES))
      expect(text).toMatch(/^Noted\. No language model is connected/)
      expect(text).not.toContain('Ada')
    }
  )

  test.each([
    'remember that I like tea',
    'Please note I am vegan.',
    'Don’t forget the keys',
    "Can you remember that I'm vegan?"
  ])('"%s" is acknowledged as a wish to remember', async (message) => {
    expect(await reply(message, source(BEES))).toMatch(/^Noted, as you asked\./)
  })

  test.each(['hi', 'Hello!', 'good morning', 'Hey PAI'])('"%s" is greeted back', async (message) => {
    expect(await reply(message, source(BEES))).toMatch(/^Hello\. No language model is connected/)
  })
})

describe('the stream', () => {
  test('comes in small pieces and ends with one finish that counts no tokens', async () => {
    const events = await stream('Where are the bees?', [source(BEES)])
    const finish = events.pop()
    expect(finish).toEqual({
      type: 'finish',
      reason: 'stop',
      usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
    })
    expect(events.length).toBeGreaterThan(3)
    expect(events.every((event) => event.type === 'text-delta' && event.text.length < 60)).toBe(true)
  })

  test('says the same each time', async () => {
    expect(await reply('Where are the bees?', source(BEES))).toBe(
      await reply('Where are the bees?', source(BEES))
    )
  })

  test("ends with the signal's reason when it aborts between two pieces", async () => {
    const stop = new AbortController()
    const events = createOfflineModel()
      .stream({ system: '', messages: [{ role: 'user', content: 'hi' }], sources: [] }, stop.signal)
      [Symbol.asyncIterator]()
    await events.next()
    stop.abort(new Error('stopped'))
    await expect(events.next()).rejects.toThrow('stopped')
  })

  test('never throws, whatever was said and recalled', async () => {
    const text = fc.string({ unit: 'binary' })
    await fc.assert(
      fc.asyncProperty(text, text, text, async (message, recalled, at) => {
        expect((await stream(`${message}?`, [source(recalled, { at })])).at(-1)?.type).toBe('finish')
      })
    )
  })
})
