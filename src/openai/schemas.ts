import { type Static, Type } from 'typebox'

const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String({ maxLength: 100_000 }) })

/** The longest text that /v1 takes in a message. */
const Text = Type.String({ maxLength: 100_000 })

const Content = Type.Union([
  Text,
  // Kinds of parts that PAI does not take are refused by their name, not by a list of unions.
  Type.Array(Type.Union([TextPart, Type.Object({ type: Type.String({ maxLength: 50 }) })]), {
    minItems: 1,
    maxItems: 100
  })
])

export const OpenAiMessage = Type.Object({
  role: Type.String({ maxLength: 50 }),
  content: Type.Optional(Type.Union([Content, Type.Null()])),
  name: Type.Optional(Type.String({ maxLength: 200 }))
})
export type OpenAiMessage = Static<typeof OpenAiMessage>

const MaxTokens = Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]))

/** What PAI reads of a request; which other fields it bears with is `parameters.ts`'s to say. */
export const CompletionBody = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 200 }),
  messages: Type.Array(OpenAiMessage, { minItems: 1, maxItems: 500 }),
  stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  max_completion_tokens: MaxTokens,
  /** The same by its older name. */
  max_tokens: MaxTokens,
  stream_options: Type.Optional(
    Type.Union([Type.Object({ include_usage: Type.Optional(Type.Boolean()) }), Type.Null()])
  )
})
export type CompletionBody = Static<typeof CompletionBody>

export const EmbeddingsBody = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 200 }),
    input: Type.Union([
      Type.String({ minLength: 1, maxLength: 100_000 }),
      Type.Array(Type.String({ minLength: 1, maxLength: 100_000 }), { minItems: 1, maxItems: 256 })
    ]),
    encoding_format: Type.Optional(Type.Enum(['float', 'base64'])),
    dimensions: Type.Optional(Type.Integer({ minimum: 1 })),
    user: Type.Optional(Type.String({ maxLength: 200 }))
  },
  { additionalProperties: false }
)
export type EmbeddingsBody = Static<typeof EmbeddingsBody>
