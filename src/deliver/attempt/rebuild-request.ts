import { MASK } from '../../base/secret/redaction.ts'
import type { KeptAttempt } from '../../history/attempt-detail.sql.ts'
import type { StoredEvent } from '../../model/delivery.ts'
import { signatureHeaderNames } from '../../shape/profile.ts'
import { CredentialCache } from '../../subscription/secrets/credentials.ts'
import { withThrowAwayKeys } from '../../subscription/secrets/throw-away.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { PayloadRenderer } from './payload/payload-renderer.ts'
import type { PreviewDeps } from './preview.ts'
import { buildRequest } from './request.ts'

/** Why a request cannot be shown as it was sent. */
export const MISSING_REASONS = [
  'not_sent',
  'not_kept',
  'settings_changed',
  'erased',
  'batch',
  'unrenderable',
  'scope',
] as const
export type MissingReason = (typeof MISSING_REASONS)[number]

/** An attempt whose request is to be shown. */
export type SentAttempt = {
  subscription: Subscription
  event: StoredEvent
  n: number
  atMs: number
  batchNo: number | null
  kept: KeptAttempt
}

/** A request as it was sent, but for signatures and credentials, which are masked. */
export type RebuiltRequest = {
  kind: 'rebuilt'
  url: string
  /** Null where the settings that made them have changed since. */
  headers: Record<string, string> | null
  /** The subscription's own headers, some of which may promise credentials. */
  ownHeaders: Record<string, string>
  body: string
  /** False for bytes that were kept. */
  isReconstructed: boolean
}

/**
 * Makes the request of an attempt once more, without sending it: from bytes that were kept for its retries, or else from
 * its event, as long as the subscription is as it was. It asks for no token and no name, and opens no signing secret.
 */
export async function rebuildRequest(
  deps: Omit<PreviewDeps, 'db'>,
  attempt: SentAttempt,
): Promise<RebuiltRequest | { kind: 'missing'; reason: MissingReason }> {
  const reason = missingReason(attempt)
  if (reason !== null) return { kind: 'missing', reason }
  const { subscription, event, n, atMs, kept } = attempt
  const signing = await withThrowAwayKeys(deps.vault, withoutAddresses(subscription), atMs)
  const addressed = {
    subscription: signing.subscription,
    event,
    attemptNo: n,
    earlier: { payload: kept.payload, kept: kept.kept, replayBase: kept.replayBase, replayId: kept.replayId },
    renderer: new PayloadRenderer(deps.bodies),
  }
  const built = await buildRequest(withoutSending(deps), addressed, atMs)
  if (built.kind === 'unsent') return { kind: 'missing', reason: 'unrenderable' }
  return {
    kind: 'rebuilt',
    url: built.request.url,
    headers: isUnchanged(attempt) ? maskedSignatures(subscription, built.request.headers) : null,
    ownHeaders: built.credentials.headers,
    body: new TextDecoder().decode(built.request.body),
    isReconstructed: kept.payload !== 'kept',
  }
}

function missingReason(attempt: SentAttempt): MissingReason | null {
  const { event, n, batchNo, kept } = attempt
  if (kept.detail === null) return 'not_sent'
  if (batchNo !== null) return 'batch'
  if (event.erasedAtMs !== null) return 'erased'
  // A replay renders afresh, and what was sent before it is not kept.
  if (n <= kept.replayBase) return 'not_kept'
  const isFixed = kept.payload === 'default' || kept.kept !== null
  if (kept.payload === 'kept' && kept.kept === null) return 'not_kept'
  return isFixed || isUnchanged(attempt) ? null : 'settings_changed'
}

function isUnchanged({ subscription, kept }: SentAttempt): boolean {
  return kept.detail?.version === subscription.version && subscription.deletedAtMs === null
}

/** What is shown goes nowhere: nobody has to be asked where its host is. */
function withoutAddresses(subscription: Subscription): Subscription {
  return { ...subscription, settings: { ...subscription.settings, destinationIps: null } }
}

function withoutSending(deps: Omit<PreviewDeps, 'db'>) {
  const destinations = { ...deps.destinations, resolver: null }
  return { ...deps, destinations, credentials: new CredentialCache(), authorize: null }
}

/** A signature over the body alone is good for ever: who may read a log need not be able to send it again. */
function maskedSignatures(
  { settings }: Subscription,
  headers: Record<string, string>,
): Record<string, string> {
  const names = signatureHeaderNames(settings.profile, settings.custom)
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    names.includes(name.toLowerCase()) ? MASK : value,
  ])
  return Object.fromEntries(shown) as Record<string, string>
}
