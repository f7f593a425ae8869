import type { StoredEvent } from '../../model/delivery.ts'
import type { DraftEvent } from '../../model/event.ts'
import { draftBody } from '../../model/event.ts'
import { parseView, readPayload } from '../../store/event-text.ts'
import { CredentialCache, type Credentials } from '../../subscription/secrets/credentials.ts'
import { type ThrowAwayKeys, withThrowAwayKeys } from '../../subscription/secrets/throw-away.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { type Refusal, refusalOf } from '../../subscription/why-not.ts'
import { findWorkspaceSettings } from '../../workspace/settings.sql.ts'
import { PayloadRenderer } from './payload/payload-renderer.ts'
import { buildRequest, type RequestDeps } from './request.ts'

export type PreviewDeps = Omit<RequestDeps, 'credentials' | 'authorize'> & {
  db: D1Database
  bodies: R2Bucket
}

/** A delivery of an event, before it is made. */
export type Preview = {
  /** Null when the event matches. */
  refusal: Refusal | null
  /** Null where the subscription's own keys sign. */
  signedWith: ThrowAwayKeys | null
  request: PreviewRequest | PreviewFailure
}

export type PreviewRequest = {
  kind: 'request'
  url: string
  headers: Record<string, string>
  body: string
  credentials: Credentials
}

/** Why no request could be made: the attempt would fail with this. */
export type PreviewFailure = { kind: 'failure'; fault: string; message: string }

/** Shown for an event that has no id yet. */
const SAMPLE_ID = 'evt_preview'
/** Shown for the batch that the event of a batching subscription is in, alone. */
const SAMPLE_BATCH_ID = 'batch_preview'

/** A draft's own keys sign, as the caller has them; a stored subscription's do not. */
export type Previewed = { subscription: Subscription; isDraft: boolean }

/**
 * Matches a sample event with a subscription, and renders
 * and signs the request it would cause, without sending it.
 */
export async function preview(
  deps: PreviewDeps,
  { subscription, isDraft }: Previewed,
  draft: DraftEvent,
): Promise<Preview> {
  const nowMs = deps.now()
  const defaults = await findWorkspaceSettings(deps.db, subscription.workspaceId)
  const event: StoredEvent = {
    workspaceNo: subscription.workspaceNo,
    seq: 0,
    type: draft.type,
    acceptedAtMs: nowMs,
    ownId: draft.ownId ?? SAMPLE_ID,
    isTest: false,
    isDispatch: false,
    deliverAtMs: null,
    expiresAfterSeconds: null,
    cancelledAtMs: null,
    erasedAtMs: null,
    body: draftBody(draft, defaults),
    bodyKey: null,
  }
  const payload = await readPayload(deps.bodies, event)
  if (payload === null) throw new Error('the sample event has its text with it')
  const renderer = new PayloadRenderer(deps.bodies)
  const signing = isDraft
    ? { subscription, keys: null }
    : await withThrowAwayKeys(deps.vault, subscription, nowMs)
  const addressed = {
    subscription: signing.subscription,
    event,
    attemptNo: 1,
    earlier: null,
    renderer,
    loneBatchId: SAMPLE_BATCH_ID,
  }
  const built = await buildRequest(withoutSending(deps), addressed, nowMs)
  return {
    refusal: refusalOf(subscription, { ...parseView(payload), id: draft.ownId }),
    signedWith: built.kind === 'unsent' ? null : signing.keys,
    request:
      built.kind === 'unsent'
        ? { kind: 'failure', fault: built.fault, message: built.message }
        : {
            kind: 'request',
            url: built.request.url,
            headers: built.request.headers,
            body: new TextDecoder().decode(built.request.body),
            credentials: built.credentials,
          },
  }
}

/** A draft has no number to tell it from another in a cache that is shared. No token is asked for. */
function withoutSending(deps: PreviewDeps): RequestDeps {
  return { ...deps, credentials: new CredentialCache(), authorize: null }
}
