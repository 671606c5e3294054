import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect
} from '@tanstack/react-router'
import type { Services } from './services.ts'
import { safeReturnPath } from './session/return-path.ts'
import { Loading, NotFound, Unreachable } from './shell/fallbacks.tsx'

export function createAppRouter(services: Services) {
  return createRouter({
    routeTree,
    context: services,
    defaultPreload: 'intent',
    // Queries know best when they are stale.
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: Loading,
    defaultPendingMs: 150,
    defaultErrorComponent: Unreachable,
    defaultNotFoundComponent: NotFound
  })
}

const root = createRootRouteWithContext<Services>()()

const guest = createRoute({
  getParentRoute: () => root,
  id: 'guest',
  validateSearch: (search): { from?: string } =>
    typeof search.from === 'string' ? { from: search.from } : {},
  beforeLoad: async ({ context, search }) => {
    if (await context.session.restore()) throw redirect({ to: safeReturnPath(search.from) })
  }
})

const signIn = createRoute({
  getParentRoute: () => guest,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./session/sign-in.tsx'), 'SignIn')
})

const signUp = createRoute({
  getParentRoute: () => guest,
  path: '/sign-up',
  component: lazyRouteComponent(() => import('./session/sign-up.tsx'), 'SignUp')
})

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  beforeLoad: async ({ context, location }) => {
    if (await context.session.restore()) return
    const search = location.pathname === '/' ? {} : { from: location.pathname }
    throw redirect({ to: (await context.session.hasAccounts()) ? '/sign-in' : '/sign-up', search })
  },
  component: lazyRouteComponent(() => import('./shell/shell.tsx'), 'Shell')
})

// A new chat and a conversation are one screen, so that it stays mounted when the first gets its name.
const chat = createRoute({
  getParentRoute: () => app,
  id: 'chat',
  component: lazyRouteComponent(() => import('./chat/chat-screen.tsx'), 'ChatScreen')
})

const newChat = createRoute({ getParentRoute: () => chat, path: '/' })

const conversation = createRoute({ getParentRoute: () => chat, path: '/c/$conversationId' })

const memories = createRoute({
  getParentRoute: () => app,
  path: '/memories',
  component: lazyRouteComponent(() => import('./memories/memories-screen.tsx'), 'MemoriesScreen')
})

const tidying = createRoute({
  getParentRoute: () => app,
  path: '/tidying',
  component: lazyRouteComponent(() => import('./tidying/tidying-screen.tsx'), 'TidyingScreen')
})

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/settings-screen.tsx'), 'SettingsScreen')
})

const routeTree = root.addChildren([
  guest.addChildren([signIn, signUp]),
  app.addChildren([chat.addChildren([newChat, conversation]), memories, tidying, settings])
])

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
