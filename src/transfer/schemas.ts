import { type Static, Type } from 'typebox'
import { Id } from '../http/schemas.ts'

export const ExportQuery = Type.Object(
  { format: Type.Optional(Type.Enum(['json', 'markdown'], { default: 'json' })) },
  { additionalProperties: false }
)

/** What is read is known by its shape: an export of PAI, or the `conversations.json` of ChatGPT or Claude. */
export const ImportFile = Type.Unsafe<unknown>({
  description: 'An export of PAI, or the conversations.json of a ChatGPT or Claude export, as it is'
})

export const ImportQuery = Type.Object(
  {
    extract: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Whether memories are to be found in conversations from elsewhere, which may call a model'
      })
    )
  },
  { additionalProperties: false }
)

export const ImportReport = Type.Object({
  source: Type.Enum(['pai', 'chatgpt', 'claude']),
  /** What was new; what was there already is left as it is. */
  conversations: Type.Integer(),
  messages: Type.Integer(),
  memories: Type.Integer(),
  /** The imports that are still being made searchable, the first of them: GET /v1/imports/{id} says how far each is. */
  importIds: Type.Array(Id, { maxItems: 200 })
})
export type ImportReport = Static<typeof ImportReport>

/** A large file is brought in afterwards: GET /v1/imports/{importId} says how far it is. */
export const FileImportStarted = Type.Object({ importId: Id })
export type FileImportStarted = Static<typeof FileImportStarted>

/** How far a large file has come, in parts. */
export interface FileImportProgress {
  id: string
  conversationId: null
  status: 'processing' | 'ready' | 'failed'
  total: number
  done: number
  report: Omit<ImportReport, 'importIds'>
}

const Text = Type.String()
const NullableText = Type.Union([Text, Type.Null()])
const Share = Type.Number({ minimum: 0, maximum: 1 })

/** An image of 5 MB in base64. */
const MAX_IMAGE = 7 * 1_048_576

export const ArchivedImage = Type.Object({
  id: Id,
  mediaType: Type.Enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']),
  name: NullableText,
  /** base64. */
  data: Type.String({ maxLength: MAX_IMAGE, pattern: '^[A-Za-z0-9+/]*={0,2}$' })
})
export type ArchivedImage = Static<typeof ArchivedImage>

export const ArchivedMessage = Type.Object({
  id: Id,
  parentId: Type.Union([Id, Type.Null()]),
  role: Type.Enum(['user', 'assistant', 'system']),
  name: NullableText,
  content: Text,
  model: NullableText,
  createdAt: Text,
  /** Left out where there are none. */
  attachments: Type.Optional(Type.Array(ArchivedImage))
})
export type ArchivedMessage = Static<typeof ArchivedMessage>

export const ArchivedConversation = Type.Object({
  id: Id,
  title: Text,
  /** Who gave it its title; absent in older files. */
  titledBy: Type.Optional(Type.Enum(['words', 'model', 'owner'])),
  memoryPaused: Type.Boolean(),
  archivedAt: Type.Optional(NullableText),
  createdAt: Text,
  updatedAt: Text,
  messages: Type.Array(ArchivedMessage)
})
export type ArchivedConversation = Static<typeof ArchivedConversation>

export const ArchivedMemory = Type.Object({
  id: Id,
  text: Type.String({ minLength: 1, maxLength: 10_000 }),
  category: Type.String({ minLength: 1, maxLength: 50 }),
  sortedBy: Type.Enum(['pai', 'owner']),
  tags: Type.Array(Text),
  subject: NullableText,
  slot: NullableText,
  importance: Share,
  importanceReason: NullableText,
  strength: Type.Number({ minimum: 0, maximum: 100 }),
  proofCount: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  pinned: Type.Boolean(),
  status: Type.Enum(['active', 'superseded', 'expired', 'conflicting', 'proposed', 'unconfirmed']),
  validFrom: NullableText,
  validTo: NullableText,
  supersededBy: Type.Union([Id, Type.Null()]),
  closedAt: NullableText,
  origin: Type.Enum(['told', 'written', 'imported', 'inferred']),
  createdAt: Text,
  sources: Type.Array(
    Type.Object({
      id: Id,
      kind: Type.Enum(['message', 'owner', 'web', 'document', 'tool', 'import']),
      messageId: Type.Union([Id, Type.Null()]),
      reference: NullableText,
      quote: Text,
      quoteStart: Type.Union([Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), Type.Null()]),
      saidBy: Type.Enum(['owner', 'assistant', 'other']),
      saidAt: Text
    })
  ),
  history: Type.Array(
    Type.Object({
      id: Id,
      action: Text,
      by: Type.Enum(['owner', 'extraction', 'consolidation']),
      reason: NullableText,
      before: Type.Unknown(),
      after: Type.Unknown(),
      batchId: Type.Union([Id, Type.Null()]),
      createdAt: Text,
      undoneAt: NullableText
    })
  ),
  dependsOn: Type.Array(Id)
})
export type ArchivedMemory = Static<typeof ArchivedMemory>

export const ArchivedConflict = Type.Object({
  id: Id,
  memoryId: Id,
  otherId: Id,
  reason: Text,
  createdAt: Text,
  resolvedAt: NullableText
})
export type ArchivedConflict = Static<typeof ArchivedConflict>

/** What `GET /v1/export` gives: all of an owner's own, in one file. */
export const Archive = Type.Object({
  format: Type.Literal('pai-export'),
  version: Type.Literal(1),
  exportedAt: Text,
  account: Type.Object({
    name: Text,
    timezone: Text,
    locale: Text,
    instructions: Text,
    memoryPaused: Type.Boolean()
  }),
  profile: Type.Union([Type.Object({ text: Text, memoryIds: Type.Array(Id), builtAt: Text }), Type.Null()]),
  conversations: Type.Array(ArchivedConversation),
  memories: Type.Array(ArchivedMemory),
  conflicts: Type.Array(ArchivedConflict)
})
export type Archive = Static<typeof Archive>
/** The same for a route that sends it piece by piece. */
export const StreamedArchive = Type.Unsafe<unknown>(Archive)

/** What `GET /v1/conversations/{id}/export` gives: one conversation, with all its branches. */
export const ConversationFile = Type.Object({
  format: Type.Literal('pai-conversation'),
  version: Type.Literal(1),
  exportedAt: Text,
  conversation: ArchivedConversation
})
export const StreamedConversation = Type.Unsafe<unknown>(ConversationFile)
