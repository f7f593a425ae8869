import { env } from 'cloudflare:workers'
import type { AuditEntry, AuditRecord } from '../../../src/audit/entry.ts'
import { START_MS } from '../rig/builders.ts'

/** The chain of the tests. */
export const CHAIN = 'acme'

/** A record that differs from those of other numbers. */
export function record(n: number): AuditRecord {
  return {
    atMs: START_MS + n,
    actor: `key:${n}`,
    address: n % 2 === 0 ? null : '192.0.2.1',
    userAgent: 'curl/8 ä€🙂 "quoted"',
    action: 'updateSubscription',
    route: 'PATCH /webhooks/{id}',
    object: `webhooks/webhook_${n}`,
    fields: '{"active":false,"secret":"********"}',
    requestId: `req_${n}`,
    outcome: 'done',
    code: null,
  }
}

/** All rows of the chain, in the order of their numbers. */
export async function rows(): Promise<AuditEntry[]> {
  const { results } = await env.DB.prepare(
    `SELECT chain, no, hash, previous_hash AS previousHash, at_ms AS atMs, actor, address, user_agent AS userAgent, action, route, object, fields, request_id AS requestId, outcome, code
     FROM audit_entry WHERE chain = ?1 ORDER BY no`,
  )
    .bind(CHAIN)
    .all<AuditEntry>()
  return results
}

/** Any statement, past the log. */
export const run = (sql: string, ...values: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .run()
