import { type Static, Type } from 'typebox'
import { Instant, Nullable } from '../http/schemas.ts'

export const GroupBy = Type.Enum(['day', 'model', 'purpose', 'conversation'])
export type GroupBy = Static<typeof GroupBy>

/** A day stands for its first moment in UTC. */
const Moment = Type.Union([Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', maxLength: 10 }), Instant])

export const UsageQuery = Type.Object(
  {
    from: Type.Optional(Moment),
    to: Type.Optional(Moment),
    groupBy: Type.Optional(GroupBy),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 }))
  },
  { additionalProperties: false }
)
export type UsageQuery = Static<typeof UsageQuery>

export const UsageSums = Type.Object({
  calls: Type.Integer(),
  inputTokens: Type.Integer({ description: 'With those that the provider had in its cache' }),
  cachedTokens: Type.Integer(),
  outputTokens: Type.Integer(),
  costUsd: Type.Number({ description: 'Without the calls whose price is unknown' }),
  unpricedCalls: Type.Integer({ description: 'Calls of models whose price is unknown' }),
  estimatedCalls: Type.Integer({
    description: 'Calls whose provider told no tokens: they are estimated from the words'
  })
})
export type UsageSums = Static<typeof UsageSums>

export const Usage = Type.Object({
  from: Instant,
  to: Type.String({ format: 'date-time', description: 'The first moment that is not counted' }),
  groupBy: GroupBy,
  totals: UsageSums,
  items: Type.Array(
    Type.Object({
      key: Nullable(
        Type.String({ description: 'The day in UTC, the model, the purpose or the conversation' })
      ),
      ...UsageSums.properties
    })
  ),
  nextCursor: Nullable(Type.String()),
  budget: Type.Object({
    month: Type.String({ description: 'The first day of the month that runs, in UTC' }),
    endsAt: Instant,
    spentUsd: Type.Number(),
    limitUsd: Nullable(
      Type.Number({ description: 'The lower of the account’s and the deployment’s; null: none' })
    ),
    leftUsd: Nullable(Type.Number()),
    deploymentLimitUsd: Nullable(Type.Number())
  })
})
export type Usage = Static<typeof Usage>
