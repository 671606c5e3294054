import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page } from '../http/schemas.ts'

/**
 * What a key may be used for: `chat` (conversations and turns), `memory:read` and `memory:write` (memories, search,
 * recall), `account` (the profile, keys and, for an administrator, invitations). Someone signed in has them all.
 */
export const Scope = Type.Enum(['chat', 'memory:read', 'memory:write', 'account'])
export type Scope = Static<typeof Scope>
export const ALL_SCOPES: readonly Scope[] = Scope.enum
/** What a key may do when nothing was said: everything but the account itself. */
export const DEFAULT_SCOPES: readonly Scope[] = ALL_SCOPES.filter((scope) => scope !== 'account')

export const Role = Type.Enum(['admin', 'member'])
export type Role = Static<typeof Role>

const Email = Type.String({ pattern: '^\\s*[^\\s@]+@[^\\s@]+\\s*$', maxLength: 254 })
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const NewPassword = Type.String({ minLength: 8, maxLength: 256 })
/** Any password may be tried; a shorter one than we accept is only wrong. */
const GivenPassword = Type.String({ minLength: 1, maxLength: 256 })

export const RegisterBody = Type.Object(
  {
    email: Email,
    password: NewPassword,
    name: Type.Optional(Name),
    invitation: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'The code of an invitation; for the first account of a public server, the token in its log'
      })
    )
  },
  { additionalProperties: false }
)
export type RegisterBody = Static<typeof RegisterBody>

export const LoginBody = Type.Object(
  { email: Email, password: GivenPassword },
  { additionalProperties: false }
)
export type LoginBody = Static<typeof LoginBody>

export const RefreshBody = Type.Object(
  {
    refreshToken: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Absent where the web app has it as a cookie'
      })
    )
  },
  { additionalProperties: false }
)
export type RefreshBody = Static<typeof RefreshBody>

export const Account = Type.Object({ id: Id, email: Type.String(), name: Type.String(), role: Role })
export type Account = Static<typeof Account>

export const Session = Type.Object({
  user: Account,
  accessToken: Type.String(),
  refreshToken: Type.Optional(
    Type.String({ description: 'Absent where the web app gets it as a cookie that scripts cannot read' })
  ),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires' })
})

export const AuthStatus = Type.Object({
  hasAccounts: Type.Boolean({ description: 'Whether anybody has an account here; never who' }),
  hasSession: Type.Boolean({
    description:
      'Whether this browser has brought a session of the web app, good or not: nobody else can know'
  })
})

export const Profile = Type.Object({
  ...Account.properties,
  timezone: Type.String(),
  locale: Type.String(),
  instructions: Type.String(),
  memoryPaused: Type.Boolean(),
  monthlyBudget: Nullable(
    Type.Number({
      description: 'What models may cost in a month, in US dollars; null: what the deployment allows'
    })
  )
})
export type Profile = Static<typeof Profile>

export const Me = Type.Object({
  ...Profile.properties,
  model: Type.String({ description: 'The model that answers' }),
  offline: Type.Boolean({ description: 'Whether PAI answers without a model' })
})

export const ProfileChanges = Type.Object(
  {
    name: Type.Optional(Name),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    locale: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    instructions: Type.Optional(Type.String({ maxLength: 8_000 })),
    memoryPaused: Type.Optional(Type.Boolean()),
    monthlyBudget: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 1_000_000 })))
  },
  { additionalProperties: false, minProperties: 1 }
)
export type ProfileChanges = Static<typeof ProfileChanges>

export const RemoveAccountBody = Type.Object({ password: GivenPassword }, { additionalProperties: false })

export const ApiKey = Type.Object({
  id: Id,
  name: Type.String(),
  prefix: Type.String({ description: 'How the key begins' }),
  scopes: Type.Array(Scope),
  expiresAt: Nullable(Instant),
  lastUsedAt: Nullable(Instant),
  createdAt: Instant
})
export type ApiKey = Static<typeof ApiKey>
export const ApiKeyPage = Page(ApiKey)
export type ApiKeyPage = Static<typeof ApiKeyPage>

export const NewApiKey = Type.Object({
  ...ApiKey.properties,
  key: Type.String({ description: 'Shown once: it is not stored' })
})
export type NewApiKey = Static<typeof NewApiKey>

export const ApiKeyBody = Type.Object(
  {
    name: Name,
    scopes: Type.Optional(Type.Array(Scope, { minItems: 1, uniqueItems: true })),
    expiresAt: Type.Optional(Instant)
  },
  { additionalProperties: false }
)
export type ApiKeyBody = Static<typeof ApiKeyBody>

export const Invitation = Type.Object({
  id: Id,
  expiresAt: Instant,
  usedAt: Nullable(Instant),
  createdAt: Instant
})
export type Invitation = Static<typeof Invitation>
export const InvitationPage = Page(Invitation)
export type InvitationPage = Static<typeof InvitationPage>

export const NewInvitation = Type.Object({
  id: Id,
  code: Type.String({ description: 'Shown once: it is not stored' }),
  expiresAt: Instant
})
export type NewInvitation = Static<typeof NewInvitation>

export const InvitationBody = Type.Object(
  { expiresInHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 720, default: 168 })) },
  { additionalProperties: false }
)
export type InvitationBody = Static<typeof InvitationBody>
