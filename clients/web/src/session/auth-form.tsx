import { PaiError } from '@pai/sdk'
import { useRouter, useSearch } from '@tanstack/react-router'
import { type ReactNode, type SubmitEvent, useState } from 'react'
import { Button } from '../ui/button.tsx'
import { Mark } from '../ui/mark.tsx'
import { detailOf } from '../ui/problem.tsx'
import { safeReturnPath } from './return-path.ts'

interface AuthFormProps {
  title: string
  action: string
  children: ReactNode
  footer: ReactNode
  error: unknown
  onSubmit: (values: Record<string, string>) => Promise<void>
}

/** The page both forms share, with a glimpse of what PAI does beside it where there is room. */
export function AuthForm({ title, action, children, footer, error, onSubmit }: AuthFormProps) {
  const [busy, setBusy] = useState(false)

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    const values = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)])
    await onSubmit(Object.fromEntries(values)).finally(() => setBusy(false))
  }

  return (
    <main className="grid min-h-dvh lg:grid-cols-2">
      <title>{`${title} · PAI`}</title>
      <section className="flex items-center justify-center px-6 py-12">
        <div className="w-full max-w-sm">
          <Mark className="size-11" />
          <h1 className="mt-6 text-[1.75rem] font-semibold tracking-tight">{title}</h1>
          <form onSubmit={submit} className="mt-7 space-y-4">
            {children}
            {Boolean(error) && (
              <p role="alert" className="rounded-control bg-danger-soft px-3.5 py-2.5 text-sm text-danger">
                {detailOf(error)}.
              </p>
            )}
            <Button type="submit" look="primary" className="min-h-11 w-full" disabled={busy}>
              {action}
            </Button>
          </form>
          <p className="mt-6 text-muted">{footer}</p>
        </div>
      </section>
      <Glimpse />
    </main>
  )
}

/** Goes where the visitor was headed before signing in. */
export function useEnter() {
  const router = useRouter()
  const { from } = useSearch({ from: '/guest' })
  return () => router.navigate({ to: safeReturnPath(from), replace: true })
}

/** What the server says about one field, from its problem's list. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof PaiError)) return undefined
  return error.errors.find(({ path }) => path.split(/[./]/).at(-1) === field)?.message
}

function Glimpse() {
  return (
    <aside className="hidden place-items-center border-l border-line bg-sunken px-12 lg:grid">
      <figure className="w-full max-w-md">
        <div aria-hidden="true" className="space-y-5">
          <p className="text-sm text-muted">Last September</p>
          <p className="ml-auto w-fit rounded-card rounded-br-md border border-line bg-surface px-4 py-2.5">
            My sister Ada keeps bees in Tromsø.
          </p>
          <p className="pt-3 text-sm text-muted">Today</p>
          <p className="ml-auto w-fit rounded-card rounded-br-md border border-line bg-surface px-4 py-2.5">
            Where does Ada keep her bees?
          </p>
          <div className="flex gap-3">
            <Mark className="mt-0.5 size-6 shrink-0" />
            <p>
              In Tromsø. You told me in September.
              <span className="ml-1.5 rounded-md bg-honey px-1.5 py-0.5 text-xs font-semibold text-on-honey">
                1
              </span>
            </p>
          </div>
        </div>
        <figcaption className="mt-10 border-t border-line pt-5 text-muted">
          PAI remembers what you tell it, says where it knows it from, and forgets when you ask.
        </figcaption>
      </figure>
    </aside>
  )
}
