import { type ComponentProps, useId } from 'react'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string | undefined
  error?: string | undefined
}

export const INPUT =
  'w-full rounded-control border border-line-strong bg-surface px-3.5 py-2.5 text-ink placeholder:text-muted ' +
  'focus-visible:outline-offset-0 aria-invalid:border-danger'

/** A labelled input whose hint and error are read out with it. */
export function Field({ label, hint, error, className = '', ...input }: FieldProps) {
  const id = useId()
  const note = error ?? hint
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[0.9375rem] font-medium">
        {label}
      </label>
      <input
        id={id}
        className={`${INPUT} min-h-11`}
        aria-invalid={error ? true : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        {...input}
      />
      {note && (
        <p id={`${id}-note`} className={`mt-1.5 text-sm ${error ? 'text-danger' : 'text-muted'}`}>
          {note}
        </p>
      )}
    </div>
  )
}
