import { describe, expect, test } from 'vitest'
import { createBreaker } from '../../src/llm/breaker.ts'
import { type CatalogueSettings, createCatalogue } from '../../src/llm/catalogue.ts'
import { ModelRateLimited } from '../../src/llm/errors.ts'
import { createGuard, RETRIES } from '../../src/llm/guard.ts'
import type { ChatModel } from '../../src/llm/model.ts'
import { OFFLINE_NAME } from '../../src/llm/model-names.ts'
import type { Provider } from '../../src/llm/providers.ts'
import { collect } from '../support/model-events.ts'

const SMALL = { provider: 'home', model: 'small' }
const SPARE = { provider: 'home', model: 'spare' }
const LARGE = { provider: 'cloud', model: 'large' }
const SKY = { provider: 'sky', model: 'high' }

/** A house with models of its own, whose answers are those of the model's name, and with two providers elsewhere. */
function setUp({ away = [], ...settings }: Partial<CatalogueSettings> & { away?: string[] }) {
  const asked: string[] = []
  function open(provider: string, nearby: boolean): Provider {
    const breaker = createBreaker()
    return {
      guard: createGuard(breaker, { ...RETRIES, tries: 1 }),
      nearby,
      state: breaker.state,
      chat: (model) => ({
        id: `${provider}:${model}`,
        async *stream() {
          asked.push(`${provider}:${model}`)
          if (away.includes(model)) throw new ModelRateLimited(model)
          yield { type: 'text-delta', text: model }
        }
      }),
      structured: () => ({ id: '', complete: () => Promise.reject(new Error('Nobody asks for that here')) }),
      embedder: () => null
    }
  }
  const catalogue = createCatalogue({
    providers: new Map([
      ['home', open('home', true)],
      ['cloud', open('cloud', false)],
      ['sky', open('sky', false)]
    ]),
    chat: LARGE,
    fallbacks: [],
    others: [SMALL],
    aliases: new Map(),
    defaultProvider: null,
    ...settings
  })
  return { catalogue, asked }
}

const ask = (model: ChatModel) =>
  collect(
    model.stream(
      { system: '', messages: [{ role: 'user', content: 'Hi' }], sources: [] },
      new AbortController().signal
    )
  )

describe('in place of a model that has left the list', () => {
  test('answers the deployment’s own where that is in house', () => {
    const { catalogue } = setUp({ chat: SMALL })
    for (const gone of ['home:older', 'cloud:older', 'older'])
      expect(catalogue.inPlaceOf(gone).id).toBe('home:small')
    expect(setUp({ chat: OFFLINE_NAME }).catalogue.inPlaceOf('home:older').id).toBe('offline')
  })

  test('answers the deployment’s own where it is of the same provider, and no other', () => {
    const { catalogue } = setUp({ others: [SMALL, SKY] })
    expect(catalogue.inPlaceOf('cloud:older').id).toBe('cloud:large')
    for (const gone of ['home:older', 'sky:older', 'cloudy:older', 'older']) {
      expect(() => catalogue.inPlaceOf(gone)).toThrow(
        expect.objectContaining({
          code: 'PAI_MODEL_GONE',
          message:
            `The model ${gone} is here no more, and what was said to it is not sent to cloud:large unless you choose that.` +
            ' There are: cloud:large, home:small, sky:high'
        })
      )
    }
  })

  test('nobody elsewhere is asked, whoever falls back to whom', async () => {
    const { catalogue, asked } = setUp({ chat: SMALL, fallbacks: [LARGE, SPARE], away: ['small'] })
    expect((await ask(catalogue.inPlaceOf('home:older'))).seen[0]).toEqual({
      type: 'start',
      model: 'home:spare'
    })
    expect(asked).toEqual(['home:small', 'home:spare'])
  })
})

describe('a model in house that cannot answer', () => {
  test('is not answered for from elsewhere where it was chosen', async () => {
    const { catalogue, asked } = setUp({ fallbacks: [SKY, SPARE], away: ['small', 'spare'] })
    expect((await ask(catalogue.chatModel('home:small'))).error?.code).toBe('PAI_MODEL_RATE_LIMITED')
    expect(asked).toEqual(['home:small', 'home:spare'])
  })

  test('is, where it is the deployment’s own and its operator has said by whom', async () => {
    const { catalogue, asked } = setUp({ chat: SMALL, fallbacks: [SKY, SPARE], away: ['small'] })
    for (const model of [catalogue.chat, catalogue.chatModel('home:small')])
      expect((await ask(model)).seen[0]).toEqual({ type: 'start', model: 'sky:high' })
    expect(asked).toEqual(['home:small', 'sky:high', 'home:small', 'sky:high'])
  })
})

test('each model says whether it is in house', () => {
  const { catalogue } = setUp({ others: [SMALL, SKY, OFFLINE_NAME] })
  expect(catalogue.models().map(({ id, nearby }) => [id, nearby])).toEqual([
    ['cloud:large', false],
    ['home:small', true],
    ['sky:high', false],
    ['offline', true]
  ])
})
