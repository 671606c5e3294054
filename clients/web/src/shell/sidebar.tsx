import { GearIcon, Pencil2Icon, StackIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { meQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Mark } from '../ui/mark.tsx'
import { ConversationList } from './conversation-list.tsx'

const ROW = 'flex min-h-10 items-center gap-3 rounded-control px-3 transition-colors hover:bg-hover'

export function Sidebar({ onNavigate }: { onNavigate?: () => void }) {
  const me = useQuery(meQuery(useClient()))

  return (
    <div className="flex h-full flex-col p-3">
      <Link
        to="/"
        onClick={onNavigate}
        className="mb-4 flex items-center gap-2.5 self-start rounded-control px-2 py-1.5"
      >
        <Mark className="size-7" />
        <span className="text-lg font-bold tracking-wide">PAI</span>
      </Link>
      <Link
        to="/"
        onClick={onNavigate}
        className={`${ROW} border border-line bg-surface font-medium`}
        activeOptions={{ exact: true }}
      >
        <Pencil2Icon className="text-pine" />
        New chat
      </Link>
      <nav aria-label="Main" className="mt-1">
        <NavLink to="/memories" icon={<StackIcon />} onNavigate={onNavigate}>
          Memories
        </NavLink>
      </nav>
      <ConversationList onNavigate={onNavigate} />
      <nav aria-label="Account" className="border-t border-line pt-2">
        <NavLink to="/settings" icon={<GearIcon />} onNavigate={onNavigate}>
          Settings
          <span className="ml-auto max-w-36 truncate pl-2 text-sm font-normal text-muted">
            {me.data?.name || me.data?.email}
          </span>
        </NavLink>
      </nav>
    </div>
  )
}

interface NavLinkProps {
  to: '/memories' | '/settings'
  icon: ReactNode
  children: ReactNode
  onNavigate: (() => void) | undefined
}

function NavLink({ to, icon, children, onNavigate }: NavLinkProps) {
  return (
    <Link to={to} onClick={onNavigate} className={ROW} activeProps={{ className: 'bg-hover font-medium' }}>
      <span className="text-muted">{icon}</span>
      {children}
    </Link>
  )
}
