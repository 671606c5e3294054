import { HamburgerMenuIcon } from '@radix-ui/react-icons'
import { createContext, type ReactNode, useContext } from 'react'
import { IconButton } from '../ui/button.tsx'

/** Opens the drawer that holds the sidebar on a narrow screen. */
export const SidebarContext = createContext<() => void>(() => {})

export function ScreenHeader({ title, children }: { title: string; children?: ReactNode }) {
  const openSidebar = useContext(SidebarContext)
  return (
    <header className="flex h-14 shrink-0 items-center gap-2 px-3 lg:px-6">
      <IconButton label="Open menu" className="lg:hidden" onClick={openSidebar}>
        <HamburgerMenuIcon />
      </IconButton>
      <title>{title === 'PAI' ? 'PAI' : `${title} · PAI`}</title>
      <h1 className="min-w-0 grow truncate font-semibold">{title}</h1>
      {children}
    </header>
  )
}
