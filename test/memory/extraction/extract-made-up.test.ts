import { expect, test } from 'vitest'
import type { StructuredModel } from '../../../src/llm/model.ts'
import type { Memory } from '../../../src/memory/schemas.ts'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'
import { FACT, SAID } from './scripted-fact.ts'

describeEachDatabase('what a model makes up', (database) => {
  async function talk() {
    let facts: object[] = []
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ user }) {
        const verdict = { fact: 1, verdict: 'supersedes', memory: 1, reason: 'wrong' }
        const value = user.includes('<message>') ? { facts } : { verdicts: [verdict] }
        return { value, usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 } }
      }
    }
    const { house, owner, call } = await setUp(database(), [], { llm: { structured } })
    return {
      async tell(message: string, ...found: object[]) {
        facts = found
        await call('POST', '/chat', { message })
        await runJobs(house, owner.id)
      },
      async held(): Promise<string[]> {
        const { items } = (await call('GET', '/memories')).data
        return items.map(({ text, status }: Memory) => `${status}: ${text}`).toSorted()
      }
    }
  }

  test('from next to nothing of the message is dropped', async () => {
    const { tell, held } = await talk()
    const made = [
      { ...FACT, text: 'I owe Bob 5,000.', quote: 'My' },
      { ...FACT, text: 'I have a sister.', quote: ' ' }
    ]
    await tell(SAID, ...made, FACT)
    expect(await held()).toEqual([`active: ${FACT.text}`])
  })

  test('of a change, quoting words that tell of none, ends nothing', async () => {
    const { tell, held } = await talk()
    const [first, second] = ['My birthday is on 1 May.', 'My birthday is on 2 May.'] as const
    const birthday = { ...FACT, subject: 'owner', slot: 'birthday', since: '' }
    await tell(first, { ...birthday, text: first, quote: first })
    await tell(second, { ...birthday, text: second, quote: second, change: 'My' })
    expect(await held()).toEqual([`conflicting: ${first}`, `conflicting: ${second}`])
  })
})
