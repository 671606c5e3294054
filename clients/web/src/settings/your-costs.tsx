import { type Costs, type Me, unwrap } from '@pai/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { costsQuery, keys } from '../queries.ts'
import { useClient, useServices } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { formatDay } from '../ui/dates.ts'
import { Field } from '../ui/field.tsx'
import { detailOf, Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { useNotify } from '../ui/toast.tsx'

const DOLLARS = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD' })
const SMALL_DOLLARS = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: 'USD',
  maximumSignificantDigits: 2
})
const COUNT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

const PURPOSES: Record<string, string> = {
  chat: 'Replies',
  consolidation: 'Tidying',
  embeddings: 'Embeddings for other programs',
  extraction: 'Finding what to remember',
  import: 'Importing',
  indexing: 'Making it searchable',
  reembedding: 'Changing the search model',
  search: 'Searching',
  title: 'Titles'
}

/** What models cost this month, and where that ends. */
export function YourCosts({ me }: { me: Me }) {
  const costs = useQuery(costsQuery(useClient()))
  if (costs.isPending) return <Skeleton label="Loading what it costs" lines={['w-1/3', 'w-full', 'w-4/5']} />
  if (costs.data === undefined) {
    return <Problem title="Costs could not be loaded" error={costs.error} onRetry={() => costs.refetch()} />
  }
  const { byModel, byPurpose } = costs.data
  const { budget } = byModel
  return (
    <div className="space-y-6">
      <ThisMonth budget={budget} />
      <BudgetForm
        key={me.monthlyBudget}
        budget={me.monthlyBudget}
        deploymentLimit={budget.deploymentLimitUsd}
      />
      {byModel.totals.calls === 0 ? (
        <p className="text-sm text-muted">No model was called this month.</p>
      ) : (
        <>
          <CostTable caption="By model" items={byModel.items} nameOf={(key) => key} />
          <CostTable caption="By purpose" items={byPurpose.items} nameOf={(key) => PURPOSES[key] ?? key} />
        </>
      )}
      {byModel.totals.estimatedCalls > 0 && (
        <p className="text-sm text-muted">
          Of some calls the provider told no tokens, or was stopped before it did: theirs are estimated from
          the words.
        </p>
      )}
      {byModel.totals.unpricedCalls > 0 && (
        <p className="text-sm text-muted">
          Calls of models whose price PAI does not know are not in these sums and use up no budget.
        </p>
      )}
    </div>
  )
}

function ThisMonth({ budget: { spentUsd, limitUsd, leftUsd, endsAt } }: { budget: Costs['budget'] }) {
  const isSpent = leftUsd === 0
  return (
    <div>
      <p>
        <span className="text-2xl font-semibold tabular-nums">{formatDollars(spentUsd)}</span>{' '}
        <span className="text-muted">
          {limitUsd === null ? 'this month' : `of ${formatDollars(limitUsd)} this month`}
        </span>
      </p>
      {limitUsd !== null && (
        <meter
          aria-label="Part of the budget that is spent"
          className="sr-only"
          min={0}
          max={limitUsd || 1}
          value={limitUsd === 0 ? 1 : Math.min(spentUsd, limitUsd)}
        />
      )}
      {limitUsd !== null && (
        <div aria-hidden="true" className="mt-2 h-2 overflow-hidden rounded-full bg-hover">
          <div
            className={`h-full rounded-full ${isSpent ? 'bg-danger' : 'bg-pine'}`}
            style={{ width: `${limitUsd === 0 ? 100 : Math.min(100, (spentUsd / limitUsd) * 100)}%` }}
          />
        </div>
      )}
      {isSpent && (
        <p role="status" className="mt-2 text-sm text-danger">
          {limitUsd === 0
            ? 'With this limit only models that cost nothing answer, such as those of this machine.'
            : `The budget is spent. PAI answers again from ${formatDay(endsAt)}, or with a higher limit; background work waits until then.`}
        </p>
      )}
    </div>
  )
}

function BudgetForm({ budget, deploymentLimit }: { budget: number | null; deploymentLimit: number | null }) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  const kept = budget === null ? '' : String(budget)
  const [edited, setEdited] = useState(kept)
  const save = useMutation({
    mutationFn: () => {
      const monthlyBudget = edited.trim() === '' ? null : Number(edited)
      return unwrap(session.client.PATCH('/v1/me', { body: { monthlyBudget } }))
    },
    onSuccess: () => {
      notify({ text: 'Limit saved' })
      return Promise.all([keys.me, keys.costs].map((queryKey) => queryClient.invalidateQueries({ queryKey })))
    }
  })

  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate()
  }

  const limit = deploymentLimit === null ? '' : ` This server allows ${formatDollars(deploymentLimit)}.`
  return (
    <form onSubmit={submit}>
      <Field
        label="Monthly limit in US dollars"
        type="number"
        inputMode="decimal"
        min={0}
        max={1_000_000}
        step="0.01"
        className="max-w-60"
        hint={`Leave it empty for no limit of your own.${limit}`}
        error={save.isError ? detailOf(save.error) : undefined}
        value={edited}
        onChange={(event) => setEdited(event.target.value)}
      />
      <Button type="submit" className="mt-4" disabled={save.isPending || edited.trim() === kept}>
        Save limit
      </Button>
    </form>
  )
}

interface CostTableProps {
  caption: string
  items: Costs['items']
  nameOf: (key: string) => string
}

function CostTable({ caption, items, nameOf }: CostTableProps) {
  const dearest = items.toSorted((a, b) => b.costUsd - a.costUsd || b.calls - a.calls)
  return (
    <table className="w-full table-fixed text-sm">
      <caption className="mb-1 text-left font-medium">{caption}</caption>
      <thead className="text-muted">
        <tr className="border-b border-line">
          <th scope="col" className="w-2/5 py-1.5 text-left font-normal">
            <span className="sr-only">Name</span>
          </th>
          <th scope="col" className="py-1.5 text-right font-normal">
            Calls
          </th>
          <th scope="col" className="py-1.5 text-right font-normal">
            Tokens
          </th>
          <th scope="col" className="w-1/4 py-1.5 text-right font-normal">
            Cost
          </th>
        </tr>
      </thead>
      <tbody>
        {dearest.map(({ key, calls, inputTokens, outputTokens, costUsd, unpricedCalls }) => (
          <tr key={key} className="border-b border-line align-top tabular-nums">
            <th scope="row" className="py-1.5 pr-2 text-left font-normal wrap-anywhere">
              {nameOf(key ?? '')}
            </th>
            <td className="py-1.5 text-right">{COUNT.format(calls)}</td>
            <td className="py-1.5 text-right">{COUNT.format(inputTokens + outputTokens)}</td>
            <td className="py-1.5 text-right">
              {unpricedCalls === calls ? (
                <span className="text-muted">price unknown</span>
              ) : (
                `${unpricedCalls > 0 ? 'over ' : ''}${formatDollars(costUsd)}`
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A cent is much for one call: less than that is shown as it is. */
function formatDollars(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? SMALL_DOLLARS.format(dollars) : DOLLARS.format(dollars)
}
