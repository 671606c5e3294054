import { Outlet } from '@tanstack/react-router'
import { Dialog } from 'radix-ui'
import { useState } from 'react'
import { SidebarContext } from './screen-header.tsx'
import { Sidebar } from './sidebar.tsx'

/** The frame of every screen behind the sign-in: a sidebar beside it, or in a drawer where there is no room. */
export function Shell() {
  const [drawerOpen, setDrawerOpen] = useState(false)

  return (
    <SidebarContext value={() => setDrawerOpen(true)}>
      <div className="relative flex h-dvh overflow-clip">
        <a
          href="#main"
          className="sr-only z-50 rounded-control bg-surface shadow-float focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:px-4 focus:py-2"
        >
          Skip to content
        </a>
        <div className="hidden w-72 shrink-0 border-r border-line bg-sunken lg:block">
          <Sidebar />
        </div>
        <main id="main" tabIndex={-1} className="flex min-w-0 grow flex-col outline-none">
          <Outlet />
        </main>
      </div>

      <Dialog.Root open={drawerOpen} onOpenChange={setDrawerOpen}>
        <Dialog.Portal>
          <div className="fixed inset-0 z-30 animate-appear bg-black/35 lg:hidden" aria-hidden="true" />
          <Dialog.Content
            aria-describedby={undefined}
            // Not the search box in it, for which a phone would bring up the keyboard.
            onOpenAutoFocus={(event) => {
              event.preventDefault()
              if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus()
            }}
            className="fixed inset-y-0 left-0 z-40 w-[min(20rem,86vw)] animate-slide-in border-r border-line bg-sunken shadow-float outline-none lg:hidden"
          >
            <Dialog.Title className="sr-only">Menu</Dialog.Title>
            <Sidebar onNavigate={() => setDrawerOpen(false)} />
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
    </SidebarContext>
  )
}
