import type { Route } from '../../define-route.ts'
import { endListener, openListener, renewListener } from './listeners.ts'

/** The calls around a listener's socket, which is opened by its ticket: see `listener-socket.ts`. */
export const listenerRoutes: readonly Route[] = [openListener, renewListener, endListener]
