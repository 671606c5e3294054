import { ArrowUpIcon, StopIcon } from '@radix-ui/react-icons'
import { type KeyboardEvent, type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { readDraft, writeDraft } from './drafts.ts'

export interface ComposerHandle {
  /** Puts text in the box, after what is there already, and the cursor behind it. */
  insert: (text: string) => void
}

interface ComposerProps {
  ref: Ref<ComposerHandle>
  slot: string
  busy: boolean
  stopping: boolean
  onSend: (text: string) => void
  onStop: () => void
}

const ROUND =
  'grid size-9 shrink-0 place-items-center rounded-full bg-pine text-on-pine transition-colors hover:bg-pine-hover ' +
  'disabled:pointer-events-none disabled:bg-hover disabled:text-muted'

export function Composer({ ref, slot, busy, stopping, onSend, onStop }: ComposerProps) {
  const box = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(() => readDraft(slot))
  const [shownSlot, setShownSlot] = useState(slot)
  if (shownSlot !== slot) {
    setShownSlot(slot)
    setText(readDraft(slot))
  }
  const empty = text.trim() === ''

  // A finger would bring up the keyboard over a conversation that is to be read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation is for typing into at once
  useLayoutEffect(() => {
    if (!isTouch()) box.current?.focus({ preventScroll: true })
  }, [slot])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = box.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
  }, [text])

  function change(value: string) {
    setText(value)
    writeDraft(slot, value)
  }

  useImperativeHandle(ref, () => ({
    insert(added) {
      change(empty ? added : `${text}\n${added}`)
      box.current?.focus()
    }
  }))

  function send() {
    if (empty || busy) return
    onSend(text.trim())
    change('')
  }

  function onKeyDown(event: KeyboardEvent) {
    // An Enter that ends an input method's word is not meant for us, and a phone has no Shift to hold.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || isTouch()) return
    event.preventDefault()
    send()
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
      className="flex items-end gap-2 rounded-[1.625rem] border border-line bg-surface p-2 pl-5 shadow-float has-[textarea:focus-visible]:border-pine"
    >
      <textarea
        ref={box}
        rows={1}
        maxLength={100_000}
        aria-label="Message PAI"
        placeholder="Message PAI"
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        className="max-h-[40dvh] min-h-9 grow resize-none bg-transparent py-1.5 leading-6 outline-none placeholder:text-muted"
      />
      {busy ? (
        <button
          type="button"
          aria-label="Stop"
          title="Stop"
          disabled={stopping}
          onClick={onStop}
          className={ROUND}
        >
          <StopIcon />
        </button>
      ) : (
        <button type="submit" aria-label="Send" title="Send" disabled={empty} className={ROUND}>
          <ArrowUpIcon className="size-4.5" />
        </button>
      )}
    </form>
  )
}

const isTouch = () => matchMedia('(pointer: coarse)').matches
