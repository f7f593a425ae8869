import type { Route } from '../../define-route.ts'
import { checkReceiver } from './check-receiver.ts'
import { verifyRequest } from './verify-request.ts'

/** Calls that find out what is wrong, in the order of the API document. */
export const diagnosisRoutes: readonly Route[] = [verifyRequest, checkReceiver]
