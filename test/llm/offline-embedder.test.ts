import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createOfflineEmbedder } from '../../src/llm/offline-embedder.ts'
import fc from '../support/properties.ts'

const signal = new AbortController().signal

async function embed(...texts: string[]): Promise<number[][]> {
  return createOfflineEmbedder().embed(texts, signal)
}

async function nearness(a: string, b: string): Promise<number> {
  const [left = [], right = []] = await embed(a, b)
  return dot(left, right)
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

describe('the offline embedder', () => {
  test('names its recipe and its dimensions', () => {
    expect(createOfflineEmbedder().id).toBe('offline:hash-v1:512')
    expect(createOfflineEmbedder(64)).toMatchObject({ id: 'offline:hash-v1:64', dimensions: 64 })
  })

  test('gives the same vector for the same text, whoever asks', async () => {
    expect(await embed('Ada keeps bees')).toEqual(await embed('Ada keeps bees'))
  })

  test('keeps its recipe: stored vectors are compared with new ones', async () => {
    const [vector = []] = await createOfflineEmbedder(8).embed(['My sister Ada keeps bees in Tromsø'], signal)
    expect(vector.map((value) => Number(value.toFixed(4)))).toMatchInlineSnapshot(`
      [
        -0.2212,
        -0.0173,
        -0.5156,
        -0.2393,
        0.6037,
        0.1843,
        0.4414,
        0.1856,
      ]
    `)
  })

  test('answers in the order of the texts', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `note number ${index}`)
    const together = await embed(...many)
    expect(together[70]).toEqual((await embed('note number 70'))[0])
    expect(together).toHaveLength(100)
  })

  test.each([
    ['Where does she keep them?', 'My sister Ada keeps bees in Tromsø', 'The invoice is due on Friday'],
    ['a beekeeper', 'beekeeping in winter', 'paying rent in winter'],
    ['What did the dentist say?', 'The dentist said I need a crown', 'What did the bus driver say?'],
    ['photograhpy', 'photography lessons', 'geography lessons'],
    ['蜜蜂在哪里', '我姐姐养蜜蜂', '我喜欢喝茶']
  ])('puts "%s" nearer to "%s" than to "%s"', async (text, related, unrelated) => {
    expect(await nearness(text, related)).toBeGreaterThan((await nearness(text, unrelated)) + 0.05)
  })

  test('gives common words little weight', async () => {
    expect(await nearness('where does she have it', 'where does she keep honey')).toBeLessThan(0.2)
  })

  test('finds no likeness between texts that share nothing', async () => {
    expect(Math.abs(await nearness('bees in Tromsø', 'quarterly tax forms'))).toBeLessThan(0.15)
  })

  test.each(['', '   ', '\n', '!?', '\u0000'])(
    'gives %j a unit vector although it has no words',
    async (text) => {
      const [vector = []] = await embed(text)
      expect(vector).toHaveLength(512)
      expect(dot(vector, vector)).toBeCloseTo(1, 9)
    }
  )

  test('never throws and always gives unit length', async () => {
    const length = fc.integer({ min: 1, max: 64 })
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), length, async (text, dimensions) => {
        const [vector = []] = await createOfflineEmbedder(dimensions).embed([text], signal)
        expect(vector).toHaveLength(dimensions)
        expect(dot(vector, vector)).toBeCloseTo(1, 9)
      })
    )
  })

  test.runIf(process.env.PAI_CORPORA)('gives every naughty string unit length', async () => {
    const texts: string[] = JSON.parse(
      readFileSync(`${process.env.PAI_CORPORA}/naughty-strings.json`, 'utf8')
    )
    for (const vector of await embed(...texts)) expect(dot(vector, vector)).toBeCloseTo(1, 9)
  })

  test('stops where it is when the signal aborts', async () => {
    const stop = new AbortController()
    const work = createOfflineEmbedder().embed(Array(5_000).fill('Ada keeps bees'), stop.signal)
    stop.abort(new Error('stopped'))
    await expect(work).rejects.toThrow('stopped')
  })

  test('lets the rest of the process run while it embeds many texts', async () => {
    let ticks = 0
    const count = () => {
      ticks++
      ticking = setImmediate(count)
    }
    let ticking = setImmediate(count)
    await embed(...Array(320).fill('Ada keeps bees'))
    clearImmediate(ticking)
    expect(ticks).toBeGreaterThan(5)
  })
})
