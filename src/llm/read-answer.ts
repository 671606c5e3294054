import { ModelUnreadable } from './errors.ts'
import type { StructuredRequest } from './model.ts'

/** Instructions for a model that cannot be held to a schema, and has to be told it. */
export function describeSchema({ system, schema }: StructuredRequest): string {
  const order = 'Answer with one JSON object and nothing else. It follows this JSON Schema:'
  return `${system.toWellFormed()}\n\n${order}\n${JSON.stringify(schema)}`
}

/** Servers that do not hold the model to JSON often let it think aloud before, and put a fence around. */
export function parseAnswer(content: string, model: string): unknown {
  const answer = content.replace(/^\s*<think>[\s\S]*?<\/think>/, '')
  try {
    return JSON.parse(answer.replace(/^\s*```(?:json)?/, '').replace(/```\s*$/, ''))
  } catch {
    // Without its cause, which quotes the answer.
    throw new ModelUnreadable(model)
  }
}
