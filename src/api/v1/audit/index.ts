import type { Route } from '../../define-route.ts'
import { getAuditEntry } from './get-audit-entry.ts'
import { listAuditLog } from './list-audit-log.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

/** Calls that are about the audit log, in the order of the API document: the last one takes what is no call's name. */
export const auditRoutes: readonly Route[] = [listAuditLog, verifyAuditLog, getAuditEntry]
