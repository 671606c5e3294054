import type { ChatModel } from '@pai/sdk'
import { CheckIcon, ChevronDownIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { DropdownMenu } from 'radix-ui'
import { modelsQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { ModelName, nameOf } from '../shell/model-badge.tsx'

interface ModelPickerProps {
  /** null: the deployment's own. */
  model: string | null
  onChoose: (model: string | null) => void
}

const NO_MODELS: ChatModel[] = []

/** Which model answers in a conversation, and the others to choose from where there are any. */
export function ModelPicker({ model, onChoose }: ModelPickerProps) {
  const { data: models = NO_MODELS } = useQuery(modelsQuery(useClient()))
  const own = models.find((one) => one.default)
  const answers = model ?? own?.id
  if (!own || answers === undefined) return null
  const isGone = !models.some(({ id }) => id === answers)
  if (models.length === 1 && !isGone) return <ModelName model={answers} />
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        aria-label={`Model: ${nameOf(answers)}${isGone ? ', no longer here' : ''}`}
        title={answers}
        className="flex min-h-9 min-w-0 shrink-0 items-center gap-1.5 rounded-control px-2.5 text-sm text-muted transition-colors hover:bg-hover hover:text-ink data-[state=open]:bg-hover"
      >
        <span className={`max-w-28 truncate sm:max-w-56 ${isGone ? 'line-through' : ''}`}>
          {nameOf(answers)}
        </span>
        <ChevronDownIcon className="shrink-0" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={12}
          className="z-50 max-h-[min(28rem,var(--radix-dropdown-menu-content-available-height))] w-72 max-w-[calc(100vw-1.5rem)] animate-appear overflow-y-auto rounded-control border border-line bg-surface p-1 shadow-float"
        >
          <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-xs text-muted">
            Who answers in this conversation
          </DropdownMenu.Label>
          <DropdownMenu.RadioGroup
            value={answers}
            onValueChange={(id) => onChoose(id === own.id ? null : id)}
          >
            {models.map((one) => (
              <Choice key={one.id} model={one} />
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

function Choice({ model }: { model: ChatModel }) {
  const { id } = model
  return (
    <DropdownMenu.RadioItem
      value={id}
      title={id}
      className="flex min-h-11 items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none select-none data-highlighted:bg-hover"
    >
      <span className="min-w-0 grow">
        <span className="block truncate">{nameOf(id)}</span>
        <span className="block text-xs text-muted">{describe(model)}</span>
      </span>
      <DropdownMenu.ItemIndicator className="shrink-0 text-pine">
        <CheckIcon className="size-4.5" />
      </DropdownMenu.ItemIndicator>
    </DropdownMenu.RadioItem>
  )
}

function describe({ id, default: isOwn, offline, nearby, images, available }: ChatModel): string {
  const provider = id.slice(0, Math.max(0, id.indexOf(':')))
  const about = offline
    ? ['quotes from memory, no model']
    : [provider, nearby ? 'on your network' : '', images ? 'sees images' : '']
  return [...about, isOwn ? 'the default' : '', available ? '' : 'not answering now']
    .filter(Boolean)
    .join(' · ')
}
