/** Stands in for text that is on its way; `lines` are widths, one Tailwind class each. */
export function Skeleton({ label, lines }: { label: string; lines: string[] }) {
  return (
    <div role="status" aria-label={label} className="space-y-3">
      {lines.map((width, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are the same every time
        <div key={index} className={`h-4 animate-breathe rounded-md bg-hover ${width}`} />
      ))}
    </div>
  )
}
