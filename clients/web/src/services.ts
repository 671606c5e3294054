import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import type { LiveTurns } from './chat/live-turns.ts'
import type { Session } from './session/session.ts'

/** What the page is made of, handed to every screen. */
export interface Services {
  session: Session
  liveTurns: LiveTurns
  queryClient: QueryClient
}

export const ServicesContext = createContext<Services | null>(null)

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (!services) throw new Error('The page was rendered without its services')
  return services
}

export const useClient = () => useServices().session.client
