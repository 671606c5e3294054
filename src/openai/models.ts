import type { ModelInfo } from '../llm/model.ts'
import { OpenAiModelNotFound } from './errors.ts'

/** The models that can be asked for, as this API names them. */
export interface OpenAiModels {
  list(): ModelInfo[]
}

/** PAI itself, with the model that the conversation or the deployment has chosen. */
export const PAI = 'pai'
/** Agents come under this name. */
const AGENT = /^pai:/

/** The model to ask for by a request's name of it; undefined: whichever PAI chooses. Throws for a name that is none. */
export function chooseModel({ list }: OpenAiModels, name: string): string | undefined {
  if (name === PAI) return undefined
  const known = list().some(({ id, aliases }) => id === name || aliases.includes(name))
  if (!known || AGENT.test(name)) throw new OpenAiModelNotFound(name)
  return name
}

export function listModels({
  list
}: OpenAiModels): { id: string; object: 'model'; created: number; owned_by: string }[] {
  const names = list().flatMap(({ id, aliases }) => [id, ...aliases])
  return [PAI, ...names].map((id) => ({ id, object: 'model', created: 0, owned_by: PAI }))
}
