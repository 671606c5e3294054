import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page, PageQuery } from '../http/schemas.ts'

export const Citation = Type.Object({
  index: Type.Integer({ minimum: 1 }),
  kind: Type.Enum(['memory', 'message', 'passage']),
  id: Id,
  quote: Type.String(),
  /** When the quoted words were said. */
  at: Type.Optional(Instant),
  documentId: Type.Optional(Id),
  page: Type.Optional(Type.Integer())
})
export type Citation = Static<typeof Citation>

export const MemoryUsed = Type.Object({ id: Id, text: Type.String(), score: Type.Number() })
export type MemoryUsed = Static<typeof MemoryUsed>

export const TurnUsage = Type.Object({
  inputTokens: Type.Integer(),
  outputTokens: Type.Integer(),
  cachedTokens: Type.Integer(),
  estimated: Type.Optional(
    Type.Boolean({ description: 'True where the provider told none, or was stopped before it did' })
  )
})
export type TurnUsage = Static<typeof TurnUsage>

export const TurnError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean()
})
export type TurnError = Static<typeof TurnError>

export const FinishReason = Type.Enum(['stop', 'length', 'tool-calls', 'content-filter', 'other'])
export type FinishReason = Static<typeof FinishReason>
const WhyEnded = Type.Union([FinishReason, Type.Null()], {
  description:
    'Why the model ended its reply: `length` where a limit cut it off, which can be continued; null where no model ended it'
})

export const TurnStatus = Type.Enum(['queued', 'running', 'completed', 'failed', 'stopped', 'interrupted'])
export type TurnStatus = Static<typeof TurnStatus>

export const ImageType = Type.Enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])
export type ImageType = Static<typeof ImageType>

export const Attachment = Type.Object({
  id: Id,
  mediaType: ImageType,
  name: Nullable(Type.String()),
  /** Bytes. */
  size: Type.Integer()
})
export type Attachment = Static<typeof Attachment>

/** An image of 5 MB in base64, and more, so that one that is too large is told what it is. */
const MAX_IMAGE_TEXT = 7 * 1_048_576

export const AttachmentBody = Type.Object(
  {
    /** What it is said to be; what its bytes say counts. */
    mediaType: Type.Optional(Type.String({ maxLength: 200 })),
    data: Type.String({
      minLength: 1,
      maxLength: MAX_IMAGE_TEXT,
      description: 'The bytes of the image, in base64'
    }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 }))
  },
  { additionalProperties: false }
)
export const AttachmentContent = Type.Unsafe<unknown>({ type: 'string', format: 'binary' })

export const MessageRole = Type.Enum(['user', 'assistant', 'system'])

export const Message = Type.Object({
  id: Id,
  conversationId: Id,
  parentId: Nullable(Id),
  role: MessageRole,
  name: Type.Optional(Type.String()),
  content: Type.String(),
  model: Nullable(Type.String()),
  citations: Type.Array(Citation),
  /** The images that came with it. */
  attachments: Type.Array(Attachment),
  /** The turn that wrote it; null for what people wrote or brought along. */
  turnId: Nullable(Id),
  finishReason: WhyEnded,
  turnStatus: Type.Union([TurnStatus, Type.Null()], {
    description:
      'Of a reply: how the turn that wrote it stands. Of a message: how the newest turn stands that answers it. null where there was none'
  }),
  turnError: Nullable(TurnError),
  createdAt: Instant
})
export type Message = Static<typeof Message>

const ModelName = Type.String({ minLength: 1, maxLength: 200 })

export const ChatBody = Type.Object(
  {
    message: Type.String({ minLength: 1, maxLength: 100_000, pattern: '\\S' }),
    conversationId: Type.Optional(Id),
    parentId: Type.Optional(
      Type.Union([Id, Type.Null()], {
        description:
          'The message this one answers; absent: the conversation’s newest. To edit a message, send the new one with the parent of the old: null begins the conversation anew, as a branch'
      })
    ),
    useMemory: Type.Optional(Type.Boolean({ default: true })),
    useKnowledge: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'Taken for later: there are no documents to answer from yet'
      })
    ),
    /** A new conversation that leaves nothing in memory. */
    temporary: Type.Optional(Type.Boolean()),
    attachmentIds: Type.Optional(
      Type.Array(Id, {
        maxItems: 8,
        uniqueItems: true,
        description:
          'Images to send along, see POST /v1/attachments. Those of the message that is edited may be named again'
      })
    ),
    /** The model for this turn, by its id or an alias; absent: the conversation's, else the deployment's. */
    model: Type.Optional(ModelName)
  },
  { additionalProperties: false }
)
export type ChatBody = Static<typeof ChatBody>

/** What a turn was asked to do, kept with it. */
export interface TurnOptions {
  useMemory: boolean
  /** The model that was asked for, for this turn alone. */
  model?: string
}

export const Turn = Type.Object({
  conversationId: Id,
  turnId: Id,
  status: TurnStatus,
  model: Type.String(),
  message: Nullable(Message),
  memoriesUsed: Type.Array(MemoryUsed),
  usage: TurnUsage,
  finishReason: WhyEnded,
  error: Nullable(TurnError)
})
export type Turn = Static<typeof Turn>

export const Conversation = Type.Object({
  id: Id,
  title: Type.String(),
  temporary: Type.Boolean(),
  /** Nothing new is remembered from here while this is set. */
  memoryPaused: Type.Boolean(),
  /** Out of the list, and still searched and remembered from, until something new is said in it. */
  archived: Type.Boolean(),
  /** The model that answers here; null: the deployment's. */
  model: Nullable(Type.String()),
  createdAt: Instant,
  updatedAt: Instant
})
export type Conversation = Static<typeof Conversation>

export const ConversationPage = Page(Conversation)

export const ConversationListQuery = Type.Object(
  {
    ...PageQuery.properties,
    archived: Type.Optional(
      Type.Enum(['false', 'true', 'all'], {
        default: 'false',
        description: 'Whether those that are archived are listed: not, only those, or with the others'
      })
    )
  },
  { additionalProperties: false }
)

export const ConversationSearchQuery = Type.Object(
  {
    query: Type.String({ maxLength: 1_000 }),
    /** What the page before gave out. */
    cursor: Type.Optional(Type.String({ maxLength: 4, pattern: '^[0-9]+$' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 20 }))
  },
  { additionalProperties: false }
)

/** Where words stand in a text, in UTF-16 units, the end not included. */
const Highlights = Type.Array(Type.Object({ start: Type.Integer(), end: Type.Integer() }))

export const ConversationsFound = Page(
  Type.Object({
    conversation: Conversation,
    score: Type.Number(),
    /** The words of the title that were looked for. */
    titleHighlights: Highlights,
    /** The parts of messages that tell most of it, best first; none where only the title does. */
    snippets: Type.Array(
      Type.Object({
        messageId: Id,
        role: MessageRole,
        text: Type.String(),
        highlights: Highlights,
        createdAt: Instant
      })
    )
  })
)

export const ConversationWithTurn = Type.Object({
  ...Conversation.properties,
  /** The turn that is under way, to follow it; null when none is. */
  activeTurnId: Nullable(Id)
})
export type ConversationWithTurn = Static<typeof ConversationWithTurn>

export const ConversationBody = Type.Object(
  {
    title: Type.Optional(Type.String({ maxLength: 200 })),
    temporary: Type.Optional(Type.Boolean()),
    model: Type.Optional(ModelName)
  },
  { additionalProperties: false }
)
export type ConversationBody = Static<typeof ConversationBody>

export const ConversationPatch = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    memoryPaused: Type.Optional(Type.Boolean()),
    archived: Type.Optional(Type.Boolean()),
    /** By its id or an alias; null: the deployment's own. */
    model: Type.Optional(Nullable(ModelName))
  },
  { additionalProperties: false, minProperties: 1 }
)
export type ConversationPatch = Static<typeof ConversationPatch>

export const ConversationRemoval = Type.Object(
  {
    memories: Type.Optional(
      Type.Enum(['keep', 'forget'], {
        default: 'keep',
        description: 'What becomes of memories that were told here and nowhere else'
      })
    )
  },
  { additionalProperties: false }
)

export const MessagePage = Page(Message)
