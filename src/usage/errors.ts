import createError from '@fastify/error'

export const BudgetSpent = createError<[until: string]>(
  'PAI_USAGE_BUDGET_SPENT',
  'This month’s budget for models is spent: the next month begins on %s (UTC), or raise the budget',
  402
)
export const UsageRangeInvalid = createError(
  'PAI_USAGE_RANGE_INVALID',
  'Usage is kept for 400 days: `from` must lie before `to`, and at most 400 days before it',
  400
)
