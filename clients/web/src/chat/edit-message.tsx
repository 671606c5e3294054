import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react'
import { Button } from '../ui/button.tsx'
import { isTouch } from '../ui/is-touch.ts'

interface EditMessageProps {
  text: string
  /** A reply is being written: what is sent now would not be taken. */
  busy: boolean
  onSend: (text: string) => void
  onCancel: () => void
}

/** A message of the owner's, to be said otherwise: what was said stays beside it, as another version. */
export function EditMessage({ text, busy, onSend, onCancel }: EditMessageProps) {
  const box = useRef<HTMLTextAreaElement>(null)
  const [edited, setEdited] = useState(text)
  const said = edited.trim()

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = box.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
  }, [edited])

  useLayoutEffect(() => {
    const area = box.current
    area?.focus({ preventScroll: true })
    area?.setSelectionRange(area.value.length, area.value.length)
  }, [])

  function send() {
    if (said === '' || busy) return
    onSend(said)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') onCancel()
    // As in the box below: an Enter that ends an input method's word is not meant for us, and a phone has no Shift to hold.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || isTouch()) return
    event.preventDefault()
    send()
  }

  return (
    <form
      className="w-full rounded-card border border-line bg-surface p-2 has-[textarea:focus-visible]:border-pine"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={box}
        rows={1}
        maxLength={100_000}
        aria-label="Edit message"
        value={edited}
        onChange={(event) => setEdited(event.target.value)}
        onKeyDown={onKeyDown}
        className="max-h-[50dvh] w-full resize-none bg-transparent px-2 py-1.5 leading-6 outline-none"
      />
      <div className="mt-1 flex justify-end gap-2">
        <Button small look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button small look="primary" type="submit" disabled={said === '' || busy}>
          Send
        </Button>
      </div>
    </form>
  )
}
