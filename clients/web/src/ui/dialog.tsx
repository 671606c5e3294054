import { AlertDialog, Dialog } from 'radix-ui'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'

// Radix's own overlay locks scrolling with a <style> element, which the Content-Security-Policy refuses. Ours is a plain
// element; the page behind does not scroll, its panes do.
const OVERLAY = 'fixed inset-0 z-40 bg-black/35 animate-appear'
const PANEL =
  'fixed left-1/2 top-1/2 z-50 w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 -translate-y-1/2 rounded-card ' +
  'border border-line bg-surface p-6 shadow-float animate-appear focus:outline-none'

interface ModalProps {
  title: string
  open: boolean
  onOpenChange: (open: boolean) => void
  children: ReactNode
}

export function Modal({ title, open, onOpenChange, children }: ModalProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <div className={OVERLAY} aria-hidden="true" />
        <Dialog.Content className={PANEL} aria-describedby={undefined}>
          <Dialog.Title className="mb-4 text-lg font-semibold">{title}</Dialog.Title>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

interface ConfirmProps {
  title: string
  description: ReactNode
  action: string
  open: boolean
  onOpenChange: (open: boolean) => void
  onConfirm: () => void
}

/** Asks before something is deleted. */
export function Confirm({ title, description, action, open, onOpenChange, onConfirm }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <div className={OVERLAY} aria-hidden="true" />
        <AlertDialog.Content className={PANEL}>
          <AlertDialog.Title className="mb-2 text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="text-muted">{description}</div>
          </AlertDialog.Description>
          <div className="mt-6 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button look="danger" onClick={onConfirm}>
                {action}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
