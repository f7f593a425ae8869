import { hex } from '../base/bytes.ts'
import { DAY_MS } from '../base/time.ts'
import type { ErrorCode } from '../model/errors.ts'

/** How a call ended: `repeated` is the first answer to the same request, given again; `failed` is a fault of the relay. */
export const AUDIT_OUTCOMES = ['done', 'repeated', 'refused', 'failed'] as const
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number]

/** One call as the audit log keeps it. */
export type AuditRecord = {
  atMs: number
  actor: string
  address: string | null
  userAgent: string | null
  /** The call's `operationId`. */
  action: string
  /** Its method and path as the API document has them. */
  route: string
  /** What was changed or shown, such as `webhooks/webhook_…`. */
  object: string
  /** JSON of the fields that were named, see `shownFields`. */
  fields: string
  requestId: string
  outcome: AuditOutcome
  code: ErrorCode | null
}

/** A place in a chain: a row by its number and hash. */
export type ChainPlace = { no: number; hash: string }

/** A record in its chain. */
export type AuditEntry = AuditRecord & ChainPlace & { chain: string; previousHash: string }

/** How long a row is kept. */
export const AUDIT_KEPT_MS = 400 * DAY_MS

/** The chain of calls that belong to no workspace. No id of one is empty. */
export const RELAY_CHAIN = ''

/** Stands before the first row of a chain. */
export const CHAIN_START: ChainPlace = { no: 0, hash: '0'.repeat(64) }

/** Puts a record behind the last one of its chain. */
export async function chainRecord(chain: string, head: ChainPlace, record: AuditRecord): Promise<AuditEntry> {
  const entry = { ...record, chain, no: head.no + 1, previousHash: head.hash }
  return { ...entry, hash: await hashOf(entry) }
}

/**
 * The hash of an entry: SHA-256, in hex, of the UTF-8 of a JSON list without spaces. The list is the name of the form,
 * then the members in this order; the hash before is one of them.
 */
export async function hashOf(entry: Omit<AuditEntry, 'hash'>): Promise<string> {
  const { chain, no, previousHash, atMs, actor, address, userAgent } = entry
  const { action, route, object, fields, requestId, outcome, code } = entry
  const who = [actor, address, userAgent]
  const what = [action, route, object, fields, requestId, outcome, code]
  const text = JSON.stringify(['posthorn-audit-1', chain, no, previousHash, atMs, ...who, ...what])
  return hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

/** Characters that a database or a terminal may take for something else than text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be replaced.
const CONTROL = /[\u0000-\u001f\u007f]/g

/** A text as it comes back from the database: what is no text in UTF-8 would change its hash on the way. */
export function storable(text: string, charsMax: number): string {
  return text.slice(0, charsMax).toWellFormed().replace(CONTROL, '\ufffd')
}
