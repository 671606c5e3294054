import type { Browser } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { startPai } from '../faults/pai-process.ts'
import { createDataFolder } from '../support/database.ts'
import {
  type ScriptedReply,
  type ScriptedRequest,
  splitNotes,
  startScriptedOpenAi
} from '../support/scripted-openai.ts'
import { signUp, type Visitor, visit } from './browser.ts'

export interface Fact {
  text: string
  category: string
  importance: number
  importanceReason: string
  /** The words of a message that the fact rests on. */
  quote: string
}

/** What the model answers to what was said; `prompt` is all that it was told besides. */
export type Script = (said: string, prompt: string) => string | ScriptedReply

/** A new account, in the browser, on a PAI that a model answers for, by this script. */
export async function talkTo(
  browser: Browser,
  script: Script,
  facts: Fact[] = [],
  settings: Record<string, string> = {}
): Promise<Visitor> {
  const model = await startScriptedOpenAi({ reply: (request) => answer(request, script, facts) })
  onTestFinished(() => model.close())
  const models = { OPENAI_BASE_URL: model.baseUrl, PAI_CHAT_MODEL: 'gpt-5-mini' }
  const pai = await startPai(
    { PAI_DATA_DIR: createDataFolder().path, ...models, ...settings },
    onTestFinished
  )
  const visitor = await visit(browser, pai.url)
  await signUp(visitor.page, 'Ingrid')
  return visitor
}

/** A fact in the shape that a model is asked for. */
function toAnswer(fact: Fact): object {
  const plain = { message: 1, tags: [], subject: '', slot: '', since: '', until: '', change: '', over: false }
  return { ...plain, saidBy: 'owner', ...fact }
}

function answer({ body }: ScriptedRequest, script: Script, facts: Fact[]): string | ScriptedReply {
  const messages = body.messages as { role: string; content: string | { type: string; text?: string }[] }[]
  const content = wordsOf(messages.findLast(({ role }) => role === 'user')?.content)
  const { notes, words: said } = splitNotes(content)
  // An answer of a given shape is asked for where facts are looked for, and where they are held against what is known.
  const shape = body.response_format as { json_schema: { name: string } } | undefined
  if (shape?.json_schema.name === 'verdicts') return JSON.stringify({ verdicts: [] })
  if (shape) return JSON.stringify({ facts: facts.filter(({ quote }) => said.includes(quote)).map(toAnswer) })
  const system = wordsOf(messages.find(({ role }) => role === 'system')?.content)
  return script(said, `${system}\n${notes}`)
}

/** What is said of a message: where images come with it, in parts, each of which is told by its kind. */
function wordsOf(content: string | { type: string; text?: string }[] = ''): string {
  return typeof content === 'string'
    ? content
    : content.map(({ type, text }) => text ?? `(${type})`).join(' ')
}
