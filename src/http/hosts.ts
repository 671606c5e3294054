import type { onRequestHookHandler } from 'fastify'
import { HostRefused } from './errors.ts'

const THIS_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/**
 * A hook for a server of this machine alone: refuses requests for any other name. A page elsewhere whose name is made to
 * lead here (DNS rebinding) would otherwise be of our own origin to the browser, and could read every answer.
 */
export const refuseOtherHosts: onRequestHookHandler = ({ headers }, _reply, done) => {
  done(THIS_MACHINE.test(headers.host ?? '') ? undefined : new HostRefused())
}
