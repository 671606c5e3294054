/** PAI's mark: something said, with the rings it leaves, as in a tree. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" focusable="false">
      <path
        className="fill-mark"
        d="M16 2a14 14 0 1 1-6.6 26.35L3.2 30a.9.9 0 0 1-1.1-1.1l1.6-6.1A14 14 0 0 1 16 2Z"
      />
      <g className="fill-none stroke-mark-ring" strokeWidth="1.9" strokeLinecap="round">
        <path d="M16 6.6A9.4 9.4 0 1 1 6.9 18.4" />
        <path d="M17.2 11.2a5.1 5.1 0 1 1-4.9 6.4" />
      </g>
      <circle className="fill-honey-strong" cx="17.3" cy="16.2" r="2.1" />
    </svg>
  )
}
