import { codeOf } from '../llm/errors.ts'
import { promptTokens } from '../llm/estimate-usage.ts'
import type { ChatModel, Prompt } from '../llm/model.ts'
import { assemblePrompt, type PromptParts } from './prompt.ts'

/** How much of a conversation and its sources a model reads at most. */
export const PROMPT_TOKENS = 24_000
/** No model reads less, so none is asked about it. */
const ALWAYS_FITS = 2_000
/** What is left of a window for the reply: so much, and of a small one this share. */
const REPLY = { tokens: 4_096, share: 1 / 4 }
/** Tokens are estimated. */
const SURE_SHARE = 0.9
/** From 24,000 tokens five tries come down to 1,500. */
const TRIES = 5
/** A server may have been given a larger window meanwhile. */
const REMEMBERED_MS = 3_600_000
const MAX_REMEMBERED = 1_000

export interface Question {
  model: ChatModel
  parts: Omit<PromptParts, 'budgetTokens'>
  maxOutputTokens?: number | undefined
  signal: AbortSignal
  /** Puts the prompt before the model. */
  ask: (prompt: Prompt) => Promise<void>
  /** Who answers, once there is a word of the answer; null before. */
  answeredBy: () => string | null
}

/**
 * Asks with a prompt of the size that the model can read, as far as that is known. Where the model says that it cannot, it is
 * asked again with half of it, and that size is remembered.
 */
export function createFitPrompt(now = () => Date.now()) {
  const remembered = new Map<string, { tokens: number; until: number }>()

  function budgetOf(model: ChatModel): number {
    const { tokens, until } = remembered.get(model.id) ?? { tokens: PROMPT_TOKENS, until: 0 }
    return until > now() ? tokens : PROMPT_TOKENS
  }

  function remember(model: ChatModel, tokens: number): void {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(model.id, { tokens, until: now() + REMEMBERED_MS })
  }

  function assemble({ parts, maxOutputTokens }: Question, budgetTokens: number): Prompt {
    const prompt = assemblePrompt({ ...parts, budgetTokens })
    return maxOutputTokens ? { ...prompt, maxOutputTokens } : prompt
  }

  return async function fitPrompt(question: Question): Promise<void> {
    const { model, maxOutputTokens, signal, ask, answeredBy } = question
    let budget = budgetOf(model)
    let prompt = assemble(question, budget)
    if (model.findWindow && promptTokens(prompt) > ALWAYS_FITS) {
      const window = await model.findWindow(signal)
      budget = Math.min(budget, window === null ? budget : roomIn(window, maxOutputTokens))
      prompt = assemble(question, budget)
    }
    for (let tried = 1; ; tried++) {
      try {
        return await ask(prompt)
      } catch (error) {
        if (codeOf(error) !== 'PAI_MODEL_CONTEXT_TOO_LONG' || answeredBy() !== null || tried === TRIES)
          throw error
        const before = promptTokens(prompt)
        budget = Math.floor(Math.min(budget, before) / 2)
        prompt = assemble(question, budget)
        // What must be said whole is too long by itself.
        if (promptTokens(prompt) >= before) throw error
      } finally {
        // What another model can read that answers in its place says nothing of this one.
        // Nor what was too long with the reply that its caller wished for.
        if (tried > 1 && !maxOutputTokens && answeredBy() === model.id) remember(model, budget)
      }
    }
  }
}

/** How long a prompt may be where a model reads and writes so many tokens together. */
function roomIn(window: number, maxOutputTokens: number | undefined): number {
  const reply = maxOutputTokens ?? Math.min(REPLY.tokens, window * REPLY.share)
  return Math.floor((window - Math.min(reply, window / 2)) * SURE_SHARE)
}
