import type { Attachment } from '@pai/sdk'
import { ArrowUpIcon, ImageIcon, StopIcon } from '@radix-ui/react-icons'
import { type KeyboardEvent, type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'
import { IconButton } from '../ui/button.tsx'
import { isTouch } from '../ui/is-touch.ts'
import { Attached } from './attached.tsx'
import { readDraft, writeDraft } from './drafts.ts'
import { IMAGE_TYPES, useAttachments } from './use-attachments.ts'

export interface ComposerHandle {
  /** Puts text in the box, after what is there already, and the cursor behind it; images stay with their message. */
  insert: (text: string, images?: Attachment[]) => void
}

interface ComposerProps {
  ref: Ref<ComposerHandle>
  slot: string
  busy: boolean
  stopping: boolean
  onSend: (text: string, attachments: Attachment[]) => void
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
  const picker = useRef<HTMLInputElement>(null)
  const images = useAttachments(slot)
  const [dropping, setDropping] = useState(false)
  const waits = images.drafts.some(({ stored }) => stored === null)

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
    insert(added, stored = []) {
      change(empty ? added : `${text}\n${added}`)
      images.putBack(stored)
      box.current?.focus()
    }
  }))

  function send() {
    if (empty || busy || waits) return
    onSend(
      text.trim(),
      images.drafts.flatMap(({ stored }) => stored ?? [])
    )
    change('')
    images.clear()
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
      onPaste={(event) => {
        const files = [...event.clipboardData.files]
        if (files.length === 0) return
        event.preventDefault()
        images.add(files)
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        setDropping(false)
        images.add([...event.dataTransfer.files])
      }}
      className={`rounded-[1.625rem] border bg-surface p-2 shadow-float has-[textarea:focus-visible]:border-pine ${dropping ? 'border-pine' : 'border-line'}`}
    >
      <Attached drafts={images.drafts} onRetry={images.retry} onRemove={images.remove} />
      {images.drafts.some(({ error }) => error) && (
        <p className="px-1 pt-1.5 text-sm text-muted">
          An image that could not be taken keeps the message: remove it to send.
        </p>
      )}
      {images.drafts.length > 0 && empty && (
        <p className="px-1 pt-1.5 text-sm text-muted">Say a few words with it: an image alone is not sent.</p>
      )}
      <div className="flex items-end gap-2">
        <input
          ref={picker}
          type="file"
          multiple
          accept={IMAGE_TYPES}
          aria-label="Images to attach"
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            images.add([...(event.target.files ?? [])])
            // Emptied, so that the same file can be chosen again.
            event.target.value = ''
          }}
        />
        <IconButton label="Attach an image" className="rounded-full" onClick={() => picker.current?.click()}>
          <ImageIcon />
        </IconButton>
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
          <button type="submit" aria-label="Send" title="Send" disabled={empty || waits} className={ROUND}>
            <ArrowUpIcon className="size-4.5" />
          </button>
        )}
      </div>
    </form>
  )
}
