import { useQuery } from '@tanstack/react-query'
import { meQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Mark } from '../ui/mark.tsx'

const SUGGESTIONS = [
  { title: 'Tell it something', text: 'My sister Ada keeps bees in Tromsø' },
  { title: 'Ask it back', text: 'Where does Ada keep her bees?' },
  { title: 'Say how you like it', text: 'Remember that I prefer short answers, the conclusion first' }
]

export function EmptyChat({ onSuggest }: { onSuggest: (text: string) => void }) {
  const { data: me } = useQuery(meQuery(useClient()))
  const firstName = me?.name.trim().split(/\s+/)[0]
  return (
    <div className="m-auto w-full max-w-3xl px-4 py-10">
      <Mark className="size-12" />
      <h2 className="mt-5 text-[1.75rem] leading-tight font-semibold tracking-tight sm:text-[2rem]">
        {greeting(new Date())}
        {firstName && `, ${firstName}`}
      </h2>
      <p className="mt-2 max-w-xl text-lg text-pretty text-muted">
        Tell PAI what matters to you. It remembers, and can say how it knows.
      </p>
      <ul className="mt-8 grid gap-3 sm:grid-cols-3">
        {SUGGESTIONS.map(({ title, text }) => (
          <li key={text}>
            <button
              type="button"
              onClick={() => onSuggest(text)}
              className="flex h-full w-full flex-col rounded-card border border-line bg-surface p-4 text-left transition-colors hover:border-line-strong"
            >
              <span className="block text-sm text-muted">{title}</span>
              <span className="mt-1 block">{text}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function greeting(now: Date): string {
  const hour = now.getHours()
  if (hour < 5) return 'Good night'
  if (hour < 12) return 'Good morning'
  return hour < 18 ? 'Good afternoon' : 'Good evening'
}
