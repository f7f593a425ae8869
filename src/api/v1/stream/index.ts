import type { Route } from '../../define-route.ts'
import { streamDeliveries } from './stream-deliveries.ts'

/** The call that does not end. */
export const streamRoutes: readonly Route[] = [streamDeliveries]
