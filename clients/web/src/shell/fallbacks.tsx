import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { Mark } from '../ui/mark.tsx'
import { Problem } from '../ui/problem.tsx'

export function Loading() {
  return (
    <div role="status" aria-label="Loading" className="grid h-full min-h-64 place-items-center">
      <Mark className="size-10 animate-breathe" />
    </div>
  )
}

export function Unreachable({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <main className="grid min-h-dvh place-items-center">
      <Problem title="PAI is not answering" error={error} onRetry={retry} />
    </main>
  )
}

export function NotFound() {
  return (
    <main className="grid min-h-dvh place-items-center px-6 text-center">
      <div>
        <h1 className="text-lg font-semibold">There is nothing here</h1>
        <p className="mt-2 text-muted">The page may have moved, or it never was.</p>
        <Link to="/" className="mt-4 inline-block font-medium text-pine underline underline-offset-4">
          Go to PAI
        </Link>
      </div>
    </main>
  )
}
