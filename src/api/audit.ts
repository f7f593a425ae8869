import type { Context } from 'hono'
import type { RouteScope } from '../access/scopes.ts'
import type { Audit } from '../audit/audit-log.ts'
import { type AuditOutcome, type AuditRecord, RELAY_CHAIN, storable } from '../audit/entry.ts'
import { shownFields } from '../audit/shown-fields.ts'
import { isRecord } from '../base/json/value.ts'
import { describeError, type Log, type LogFields } from '../base/log.ts'
import { type ErrorCode, RelayError, statusOf } from '../model/errors.ts'
import { FailedCredential } from './caller/failed-credential.ts'
import type { AppEnv } from './context.ts'
import { toRelayError } from './error-response.ts'

/** The part of a route by which its calls are audited. */
export type AuditedRoute = {
  method: string
  path: string
  operationId: string
  scope: RouteScope
  audit?: AuditRule | undefined
}

/** The reason why a call that is no GET has no row. */
export type AuditRule = { none: string }

type AuditDeps = { db: D1Database; audit: Audit; now: () => number; log: Log }

/** What an answer says of the change that it answers. */
type Answered = {
  data: unknown
  /** The fields that changed, with their values; left out it is those of the body, null where nothing changed. */
  changed?: Record<string, unknown> | null | undefined
}

const TEXT_CHARS_MAX = 300
/** The part of a workspace key that names it, and proves nothing. */
const KEY_ID = /^bearer phk_([0-9A-Za-z]{12})_/i

/** True for calls with a row each: all that may change something, and those that show a secret. */
export function isAudited({
  method,
  scope,
  audit,
}: Pick<AuditedRoute, 'method' | 'scope' | 'audit'>): boolean {
  if (audit !== undefined) return false
  return method !== 'get' || scope === 'webhooks:secret'
}

/**
 * Writes the row of a call that has succeeded; the answer waits for it. Throws the refusal of a call whose row could not
 * be written: what it did is done, and is not answered with success.
 */
export async function auditSuccess(
  c: Context<AppEnv>,
  route: AuditedRoute,
  { body, answer, outcome }: { body: unknown; answer: Answered | null; outcome: 'done' | 'repeated' },
): Promise<void> {
  if (!isAudited(route) || answer?.changed === null) return
  const deps = c.get('deps')
  const record = recordOf(c, route, {
    atMs: deps.now(),
    object: objectOf(c, route, answer?.data),
    fields: shownFields(answer?.changed ?? body),
    outcome,
    code: null,
  })
  try {
    await deps.audit.log.append(deps.db, chainOf(c, route), record)
  } catch (error) {
    deps.log('audit.failed', failureLine(record, error))
    throw new RelayError('unavailable', UNWRITTEN, { retryAfterSeconds: 2 })
  }
}

const UNWRITTEN =
  'This was done, but its row in the audit log could not be written, so that it does not count as answered. Look at the state before you send it again.'

/**
 * Writes the row of a call that was refused or has failed, after its answer: of audited calls, and of all callers whose
 * credential is not good for the call. So many a minute; further ones are counted.
 */
export async function auditRefusal(
  deps: AuditDeps,
  c: Context<AppEnv>,
  { route, error }: { route: AuditedRoute | null; error: unknown },
): Promise<void> {
  const code = toRelayError(error)?.code ?? 'internal'
  const isOfCaller = code === 'unauthorized' || code === 'forbidden'
  if (!isOfCaller && (route === null || !isAudited(route))) return
  const place = takePlace(deps, error, chainOf(c, route))
  if (place === null) return
  const record = recordOf(c, route, {
    atMs: deps.now(),
    object: objectOf(c, route, undefined),
    fields: JSON.stringify(place.fields),
    outcome: statusOf(code) < 500 ? 'refused' : 'failed',
    code,
  })
  try {
    await deps.audit.log.append(deps.db, place.chain, record)
  } catch (cause) {
    deps.log('audit.failed', failureLine(record, cause))
  }
}

/** The chain and the fields of a refusal's row; null where there were too many. A key that is not valid is its workspace's. */
function takePlace(
  { audit: { refusals }, now }: AuditDeps,
  error: unknown,
  ofCall: string,
): { chain: string; fields: Record<string, unknown> } | null {
  const failed = error instanceof FailedCredential ? error.key : null
  const chain = failed?.workspaceId ?? ofCall
  const omitted =
    failed === null ? refusals.take(chain, now()) : refusals.takeFailedKey(chain, failed.keyId, now())
  if (omitted === null) return null
  const fault = failed === null ? {} : { fault: failed.fault }
  return { chain, fields: { ...fault, ...(omitted > 0 && { omittedBefore: omitted }) } }
}

function failureLine({ action, object, actor, outcome, requestId }: AuditRecord, error: unknown): LogFields {
  return { requestId, action, object, actor, outcome, error: describeError(error) }
}

type CallPart = {
  atMs: number
  object: string
  fields: string
  outcome: AuditOutcome
  code: ErrorCode | null
}

function recordOf(c: Context<AppEnv>, route: AuditedRoute | null, part: CallPart): AuditRecord {
  const agent = c.req.header('user-agent')
  const address = c.req.header('cf-connecting-ip')
  const method = c.req.method
  return {
    ...part,
    actor: storable(c.get('caller')?.actor ?? 'unknown', TEXT_CHARS_MAX),
    address: address === undefined ? null : storable(address, TEXT_CHARS_MAX),
    userAgent: agent === undefined ? null : storable(agent, TEXT_CHARS_MAX),
    action: route?.operationId ?? 'unknown',
    route: storable(`${method} ${route?.path ?? c.req.path}`, TEXT_CHARS_MAX),
    requestId: c.get('requestId'),
  }
}

/** The log of the caller's workspace; the relay's for a caller who is not known, and for calls about all workspaces. */
function chainOf(c: Context<AppEnv>, route: AuditedRoute | null): string {
  return route?.scope === 'operator' ? RELAY_CHAIN : (c.get('caller')?.workspaceId ?? RELAY_CHAIN)
}

/** What the call is about: the resource and the id of its path, or that of what it has made. */
function objectOf(c: Context<AppEnv>, route: AuditedRoute | null, data: unknown): string {
  if (c.get('caller') === undefined) return presentedKey(c)
  const [, resource = '', , name] = /^\/([^/]+)(\/.*?\{(\w+)\})?/.exec(route?.path ?? '') ?? []
  const made = isRecord(data) && typeof data['id'] === 'string' ? data['id'] : undefined
  const id = name === undefined ? made : c.req.param(name)
  return storable(id === undefined ? resource : `${resource}/${id}`, TEXT_CHARS_MAX)
}

function presentedKey(c: Context<AppEnv>): string {
  const [, id] = KEY_ID.exec(c.req.header('authorization') ?? '') ?? []
  return id === undefined ? '' : `keys/${id}`
}
