import { Cross2Icon } from '@radix-ui/react-icons'
import { Toast } from 'radix-ui'
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'
import { Button, IconButton } from './button.tsx'

export interface Notice {
  text: string
  tone?: 'plain' | 'danger'
  /** A way back, offered for longer than a notice usually stays. */
  undo?: () => void
}

const UNDO_MS = 30_000

const Notify = createContext<(notice: Notice) => void>(() => {})

/** Shows a short notice that goes away by itself. */
export const useNotify = () => useContext(Notify)

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<(Notice & { id: number })[]>([])
  const notify = useCallback((notice: Notice) => {
    setNotices((current) => [...current.slice(-2), { ...notice, id: (current.at(-1)?.id ?? 0) + 1 }])
  }, [])
  const close = (id: number) => setNotices((current) => current.filter((notice) => notice.id !== id))

  return (
    <Toast.Provider duration={5000} label="Notice">
      <Notify value={notify}>{children}</Notify>
      {notices.map(({ id, text, tone, undo }) => (
        <Toast.Root
          key={id}
          {...(undo ? { duration: UNDO_MS } : {})}
          onOpenChange={(open) => open || close(id)}
          className="flex animate-appear items-center gap-2 rounded-control border border-line bg-surface py-2 pr-2 pl-4 shadow-float"
        >
          <Toast.Description className={`grow ${tone === 'danger' ? 'text-danger' : ''}`}>
            {text}
          </Toast.Description>
          {undo && (
            <Toast.Action asChild altText="Undo">
              <Button look="quiet" small onClick={undo}>
                Undo
              </Button>
            </Toast.Action>
          )}
          <Toast.Close asChild>
            <IconButton label="Dismiss">
              <Cross2Icon />
            </IconButton>
          </Toast.Close>
        </Toast.Root>
      ))}
      {/* Above, since what is written stands below. */}
      <Toast.Viewport className="fixed top-3 left-1/2 z-50 flex w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 flex-col gap-2 outline-none" />
    </Toast.Provider>
  )
}
