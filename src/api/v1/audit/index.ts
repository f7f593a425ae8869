import type { Route } from '../../define-route.ts'
import { listAuditLog } from './list-audit-log.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

/** Calls that are about the audit log, in the order of the API document. */
export const auditRoutes: readonly Route[] = [listAuditLog, verifyAuditLog]
