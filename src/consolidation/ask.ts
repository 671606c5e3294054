import type { Static, TSchema } from 'typebox'
import Value from 'typebox/value'
import { ModelUnreadable } from '../llm/errors.ts'
import type { StructuredModel } from '../llm/model.ts'

/** One answer of a shape; null for any other, since every verb has a way without the model. */
export async function ask<Schema extends TSchema>(
  model: StructuredModel,
  request: { system: string; user: string; name: string },
  schema: Schema,
  signal: AbortSignal
): Promise<Static<Schema> | null> {
  try {
    const asked = { ...request, schema: schema as unknown as Record<string, unknown> }
    const { value } = await model.complete(asked, signal)
    return Value.Check(schema, value) ? (value as Static<Schema>) : null
  } catch (error) {
    if (error instanceof ModelUnreadable) return null
    throw error
  }
}
