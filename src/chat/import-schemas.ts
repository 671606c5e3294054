import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable } from '../http/schemas.ts'
import { MessageRole } from './schemas.ts'

/** A conversation from elsewhere: what was said, by whom and when, oldest first. */
export const ImportBody = Type.Object(
  {
    title: Type.Optional(Type.String({ maxLength: 200 })),
    messages: Type.Array(
      Type.Object(
        {
          role: MessageRole,
          /** Who spoke, where more than two people did. */
          name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
          content: Type.String({ minLength: 1, maxLength: 100_000 }),
          createdAt: Instant
        },
        { additionalProperties: false }
      ),
      { minItems: 1, maxItems: 100_000 }
    ),
    /** Whether memories are to be found in it, which may call a model. */
    extract: Type.Optional(
      Type.Boolean({
        description:
          'Whether memories are to be found in what the owner says. Where several people speak as users, the owner is whoever has the name of the account, or none. Where nobody does, the answer says so'
      })
    )
  },
  { additionalProperties: false }
)
export type ImportBody = Static<typeof ImportBody>

const nothingToLearn = Type.Optional(
  Type.Enum(['no-speaker-is-owner'], {
    description: 'Why no memories will be found, though that was asked for'
  })
)

export const Imported = Type.Object({ conversationId: Id, messageIds: Type.Array(Id), nothingToLearn })
export type Imported = Static<typeof Imported>

export const ImportStarted = Type.Object({ importId: Id, nothingToLearn })
export type ImportStarted = Static<typeof ImportStarted>

export const ImportProgress = Type.Object({
  id: Id,
  /** null of a whole file. */
  conversationId: Nullable(Id),
  /** A file that could not be brought in within a day has failed: what there is of it stays, and sent again it goes on. */
  status: Type.Enum(['processing', 'ready', 'failed']),
  /** Messages in all, and how many can be found already; of a file, its parts. */
  total: Type.Integer(),
  done: Type.Integer(),
  /** What of a file was new so far. */
  report: Type.Optional(
    Type.Object({
      source: Type.Enum(['pai', 'chatgpt', 'claude']),
      conversations: Type.Integer(),
      messages: Type.Integer(),
      memories: Type.Integer()
    })
  )
})
export type ImportProgress = Static<typeof ImportProgress>
