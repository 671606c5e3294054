import type { ComponentProps } from 'react'

type Look = 'primary' | 'quiet' | 'outline' | 'danger'

const LOOKS: Record<Look, string> = {
  primary: 'bg-pine text-on-pine hover:bg-pine-hover',
  quiet: 'text-ink hover:bg-hover',
  outline: 'border border-line bg-surface text-ink hover:bg-hover',
  danger: 'bg-danger text-paper hover:bg-danger-hover'
}

const BASE =
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-control text-[0.9375rem] font-medium ' +
  'transition-colors duration-150 disabled:pointer-events-none disabled:opacity-45 select-none'

interface ButtonProps extends ComponentProps<'button'> {
  look?: Look
  small?: boolean
}

export function Button({
  look = 'outline',
  small = false,
  className = '',
  type = 'button',
  ...rest
}: ButtonProps) {
  const size = small ? 'min-h-9 px-3.5 py-1.5' : 'min-h-10 px-4 py-2'
  return <button type={type} className={`${BASE} ${size} ${LOOKS[look]} ${className}`} {...rest} />
}

interface IconButtonProps extends ComponentProps<'button'> {
  /** Says what it does, to everyone: as its accessible name and as a tooltip. */
  label: string
}

export function IconButton({ label, className = '', type = 'button', ...rest }: IconButtonProps) {
  const look = 'size-9 text-muted hover:bg-hover hover:text-ink'
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`${BASE} ${look} ${className}`}
      {...rest}
    />
  )
}
