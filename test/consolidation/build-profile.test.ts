import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { choose, losesTooMuch, tells } from '../../src/consolidation/build-profile.ts'
import type { MemoryRow } from '../../src/consolidation/memory-store.ts'
import type { StructuredModel } from '../../src/llm/model.ts'
import { buildTestApp, scriptedModel, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

const row = (index: number, importance: number, more: Partial<MemoryRow> = {}): MemoryRow =>
  ({
    id: String(index).padStart(4, '0'),
    text: `Fact ${index} ${'x'.repeat(80)}`,
    category: 'fact',
    origin: 'told',
    importance,
    pinned: false,
    proofCount: 1,
    strength: 1,
    ...more
  }) as MemoryRow

describe('choosing what stands in the profile', () => {
  test('the most important fits, long, slight and inferred memories do not', () => {
    const rows = [
      row(1, 0.9),
      row(2, 0.2),
      row(3, 0.9, { text: 'x'.repeat(300) }),
      row(4, 0.9, { origin: 'inferred' })
    ]
    expect(choose([...rows, row(5, 0.1, { pinned: true })], []).map(({ id }) => Number(id))).toEqual([1, 5])
  })

  test('what is in it stays, but for a quarter, whatever comes', () => {
    const old = Array.from({ length: 12 }, (_, index) => row(index, 0.6))
    const fresh = Array.from({ length: 20 }, (_, index) => row(100 + index, 0.95))
    const known = old.map(({ id }) => id)
    const chosen = choose([...old, ...fresh], known).map(({ id }) => id)
    expect(known.filter((id) => chosen.includes(id))).toHaveLength(9)
    expect(losesTooMuch(known, chosen)).toBe(false)
    expect(losesTooMuch(known, chosen.slice(1))).toBe(true)
  })
})

test.each([
  ['Ada works at Nordea and lives in Oslo.', 'I work at Nordea', true],
  ['Ada.', 'I work at Nordea', false],
  ['Works at a bank.', 'I work at Nordea', false],
  ['Has children.', 'I have 3 children', false],
  ['Has 3 children.', 'I have 3 children', true],
  ['Walks the dog.', 'I go walking with the dog every morning', true],
  ['Has a dog.', 'I go climbing, sailing and skiing with my dog', false]
])('“%s” of “%s”: %s', (line, memory, held) => {
  expect(tells(line, memory)).toBe(held)
})

describeEachDatabase('the profile', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>
  const model = scriptedModel(['Fine.'])

  beforeAll(async () => {
    house = await buildTestApp(database(), { llm: { chat: model } })
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  const profile = async () => (await ada.call('GET', '/profile')).data
  async function promptOf(message = 'Hello', more: object = {}): Promise<string> {
    await ada.call('POST', '/chat', { message, ...more })
    return model.asked.at(-1)?.system ?? ''
  }

  test('is empty at first', async () => {
    expect(await profile()).toEqual({ text: '', memoryIds: [], builtAt: null })
    expect(await promptOf()).not.toContain('<owner>')
  })

  test('says what matters most, who before what, and every prompt reads it', async () => {
    const work = await ada.remember('I work at Nordea', { category: 'work' })
    const name = await ada.remember('My name is Ada', { category: 'identity' })
    const consolidation = await ada.tidy()
    expect(stepsOf(consolidation, 'profiled')).toEqual([[name, work]])
    expect(await profile()).toEqual({
      text: '- My name is Ada\n- I work at Nordea',
      memoryIds: [name, work],
      builtAt: expect.any(String)
    })
    expect(await promptOf()).toContain('<owner>\n- My name is Ada\n- I work at Nordea\n</owner>')
    expect(await promptOf('Hello', { useMemory: false })).not.toContain('Nordea')
    expect(stepsOf(await ada.tidy(), 'profiled')).toEqual([])
  })

  test('forgets, corrects and drops what has ended at once', async () => {
    const work = await ada.remember('I work at Nordea', { category: 'work' })
    const home = await ada.remember('I live in Oslo', { category: 'place' })
    const name = await ada.remember('My name is Ada', { category: 'identity' })
    await ada.tidy()
    await ada.call('PATCH', `/memories/${home}`, { text: 'I live in Bergen' })
    await ada.call('DELETE', `/memories/${work}`)
    expect(await profile()).toMatchObject({
      text: '- My name is Ada\n- I live in Bergen',
      memoryIds: [name, home]
    })
    await ada.change(name, { status: 'superseded' })
    expect((await profile()).text).toBe('- I live in Bergen')
    const system = await promptOf('Where do I work?')
    expect(system).not.toMatch(/Nordea|Oslo|My name is Ada/)
  })

  test('of undone work is what it was before', async () => {
    const name = await ada.remember('My name is Ada')
    await ada.tidy()
    await ada.remember('I live in Oslo')
    const { id } = await ada.tidy()
    expect((await profile()).memoryIds).toHaveLength(2)
    await ada.call('POST', `/consolidations/${id}/undo`)
    expect(await profile()).toMatchObject({ text: '- My name is Ada', memoryIds: [name] })
  })

  test('of undone work says what was corrected before that work in its new words', async () => {
    const home = await ada.remember('I live in Oslo')
    await ada.tidy()
    await ada.call('PATCH', `/memories/${home}`, { text: 'I live in Bergen' })
    const { id } = await ada.tidy()
    await ada.call('POST', `/consolidations/${id}/undo`)
    expect((await profile()).text).toBe('- I live in Bergen')
    expect(await promptOf('Where do I live?', { useMemory: true })).not.toContain('Oslo')
  })

  test('is gone when nothing it was made from is left', async () => {
    const name = await ada.remember('My name is Ada')
    await ada.tidy()
    await ada.call('DELETE', `/memories/${name}`)
    expect((await profile()).text).toBe('')
    expect(stepsOf(await ada.tidy(), 'refused')).toEqual([])
    expect((await profile()).text).toBe('')
  })
})

describeEachDatabase('the profile by a model', (database) => {
  test('is its words where they keep what is known, and is refused where they do not', async ({
    onTestFinished
  }) => {
    let lines: unknown = []
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ name }) {
        const value = name === 'profile' ? { lines } : 'prose'
        return { value, usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } }
      }
    }
    const house = await buildTestApp(database(), { llm: { structured } })
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    const profile = async () => (await ada.call('GET', '/profile')).data.text
    for (const [text, category] of [
      ['My name is Ada', 'identity'],
      ['I am not fond of nuts', 'preference'],
      ['I work at Nordea', 'work'],
      ['I live in Oslo', 'place']
    ]) {
      await ada.remember(text ?? '', { category })
    }
    lines = [{ text: 'Ada lives.', notes: [1] }]
    expect(stepsOf(await ada.tidy(), 'profiled')).toHaveLength(1)
    expect(await profile()).toBe(
      '- My name is Ada\n- I work at Nordea\n- I live in Oslo\n- I am not fond of nuts'
    )
    const whole = [
      { text: 'Ada works at Nordea and lives in Oslo.', notes: [1, 2, 3] },
      { text: 'Not fond of nuts.', notes: [4] }
    ]
    lines = whole
    await ada.tidy()
    expect(await profile()).toBe('- Ada works at Nordea and lives in Oslo.\n- Not fond of nuts.')
    for (const bad of [
      [whole[1]],
      [{ text: 'Ada works at Nordea and lives in Paris.', notes: [1, 2, 3] }, whole[1]],
      // The numbers of notes that a line does not say are only numbers.
      [{ text: 'Ada.', notes: [1, 2, 3] }, whole[1]],
      []
    ]) {
      lines = bad
      const consolidation = await ada.tidy()
      expect(stepsOf(consolidation, 'refused')).toHaveLength(1)
      expect(stepsOf(consolidation, 'profiled')).toEqual([])
      expect(await profile()).toContain('lives in Oslo')
    }
    lines = [whole[0], { text: 'Fond of nuts.', notes: [4] }]
    await ada.tidy()
    expect(await profile()).not.toContain('Fond')
  })
})
