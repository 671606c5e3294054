import type { MemoryCluster } from '@pai/sdk'

interface TopicsProps {
  topics: MemoryCluster[]
  /** null: memories of every topic. */
  chosen: string | null
  onChoose: (clusterId: string | null) => void
}

/** What the memories are about, to see one topic at a time. Nothing is shown before there are topics. */
export function Topics({ topics, chosen, onChoose }: TopicsProps) {
  if (topics.length === 0) return null
  return (
    <fieldset className="mt-4 flex flex-wrap gap-2">
      <legend className="sr-only">Topics</legend>
      {topics.map(({ id, topic, size }) => (
        <button
          key={id}
          type="button"
          aria-pressed={id === chosen}
          onClick={() => onChoose(id === chosen ? null : id)}
          className={`min-h-8 rounded-full border px-3 text-sm transition-colors ${
            id === chosen ? 'border-pine bg-pine text-on-pine' : 'border-line bg-surface hover:bg-hover'
          }`}
        >
          {topic} <span className={id === chosen ? '' : 'text-muted'}>{size}</span>
        </button>
      ))}
    </fieldset>
  )
}
