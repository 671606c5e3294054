import { CheckIcon, CopyIcon } from '@radix-ui/react-icons'
import { useEffect, useState } from 'react'
import { IconButton } from './button.tsx'
import { copyText } from './copy.ts'

/** Says for a moment that it worked, to the eye and to a screen reader. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [copied, setCopied] = useState(false)

  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])

  return (
    <>
      <IconButton label={label} className="size-8" onClick={async () => setCopied(await copyText(text()))}>
        {copied ? <CheckIcon className="text-pine" /> : <CopyIcon />}
      </IconButton>
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </>
  )
}
