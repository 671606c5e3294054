import { PaiError } from '@pai/sdk'
import { Button } from './button.tsx'

export const detailOf = (error: unknown) =>
  error instanceof PaiError ? error.detail : 'Something went wrong on this page'

interface ProblemProps {
  title: string
  error: unknown
  onRetry: () => void
}

/** A part of the page that could not be loaded, with the code to look for in the log. */
export function Problem({ title, error, onRetry }: ProblemProps) {
  return (
    <div role="alert" className="mx-auto max-w-md px-6 py-12 text-center">
      <h2 className="text-lg font-semibold">{title}</h2>
      <p className="mt-2 text-muted">{detailOf(error)}.</p>
      {error instanceof PaiError && <p className="mt-1 font-mono text-xs text-muted">{error.code}</p>}
      <Button className="mt-5" onClick={onRetry}>
        Try again
      </Button>
    </div>
  )
}
