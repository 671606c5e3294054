import type { ReactNode } from 'react'
import { Button } from '../ui/button.tsx'

interface TroubleProps {
  title: string
  detail?: string | undefined
  code?: string | undefined
  /** Nothing is broken, there is only something left to do. */
  calm?: boolean
  children: ReactNode
}

/** Says what went wrong under the message it happened to, and what can be done. */
export function Trouble({ title, detail, code, calm = false, children }: TroubleProps) {
  const look = calm ? 'border-line bg-surface' : 'border-danger/30 bg-danger-soft'
  return (
    <div role={calm ? 'status' : 'alert'} className={`rounded-card border px-4 py-3.5 sm:ml-11 ${look}`}>
      <p className="font-medium">{title}</p>
      {detail !== undefined && <p className="mt-0.5 text-sm">{detail}.</p>}
      {code !== undefined && <p className="mt-1 font-mono text-xs text-muted">{code}</p>}
      <div className="mt-3 flex flex-wrap gap-2">{children}</div>
    </div>
  )
}

export function TroubleAction({ children, onClick }: { children: ReactNode; onClick: () => void }) {
  return (
    <Button small onClick={onClick}>
      {children}
    </Button>
  )
}
