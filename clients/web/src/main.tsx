import { PaiError } from '@pai/sdk'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createLiveTurns } from './chat/live-turns.ts'
import { createAppRouter } from './router.tsx'
import { type Services, ServicesContext } from './services.ts'
import { createSession } from './session/session.ts'
import './styles.css'
import { Notices } from './ui/toast.tsx'

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What PAI refuses once it refuses again; only a broken connection or server is worth another try.
      retry: (failures, error) =>
        failures < 2 && error instanceof PaiError && (error.isNetwork || error.status >= 500)
    }
  }
})
const session = createSession()
const liveTurns = createLiveTurns({ client: session.client, queryClient })
const services: Services = { session, liveTurns, queryClient }
const router = createAppRouter(services)

session.onEnded(() => {
  liveTurns.reset()
  queryClient.clear()
  void router.navigate({ to: '/sign-in', search: { from: location.pathname } })
})

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ServicesContext value={services}>
      <QueryClientProvider client={queryClient}>
        <Notices>
          <RouterProvider router={router} />
        </Notices>
      </QueryClientProvider>
    </ServicesContext>
  </StrictMode>
)
