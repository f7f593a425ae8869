import type { AccessRefusal } from '../access/key.ts'
import { decodePublicId } from '../base/ids/public-id.ts'
import { sha256 } from '../base/secret/digest.ts'
import type { Problem } from '../model/errors.ts'
import { type DraftEvent, draftBody, type EventDefaults } from '../model/event.ts'
import type { LimitedOutcome } from './admission/admit-events.ts'
import type { NewEvent } from './commit/event-insert.sql.ts'
import { requestRowKey } from './commit/request-key.sql.ts'

/** The end of one published event, as its publisher is told. */
export type PublishOutcome =
  | { kind: 'accepted'; id: string; matched: number; warnings: string[] }
  | { kind: 'duplicate'; id: string; matched: number }
  | { kind: 'conflict'; key: 'id' | 'Idempotency-Key' }
  | { kind: 'own_id_reserved' }
  /** The workspace's catalogue does not know the type, or its schema refuses the data. */
  | { kind: 'not_in_catalogue'; details: Problem[] }
  | { kind: 'fanout_too_large'; pairsMax: number }
  /** The publisher's credential does not allow it any more; nothing was written for this event. */
  | { kind: 'refused'; refusal: AccessRefusal }
  | LimitedOutcome
  /** The configuration kept changing under the publish; nothing was written for this event. */
  | { kind: 'contended' }

/** A draft with the idempotency key that came with it. */
export type Publishable = {
  draft: DraftEvent
  idempotencyKey: string | null
  /** The event's place in a request whose key is for several: it is a key of its own for each of them. */
  place?: number
  /** A subscription that is not to get the event, even if it asked for it. */
  exceptNo?: number
}

/** A draft made ready to be stored; `at` is its place in the request. */
export type Prepared = {
  at: number
  event: NewEvent
  draft: DraftEvent
  warnings: string[]
  exceptNo: number | null
}

/** Makes an event ready but for its match and the place of its text. */
export async function prepareEvent(
  { draft, idempotencyKey, place, exceptNo }: Publishable,
  at: number,
  defaults: EventDefaults,
): Promise<Prepared> {
  const request =
    idempotencyKey === null || place === undefined ? null : { key: requestRowKey(idempotencyKey), at: place }
  const keys = [
    ...(draft.ownId === null ? [] : [`i:${draft.ownId}`]),
    ...(idempotencyKey === null ? [] : [request === null ? `k:${idempotencyKey}` : request.key + request.at]),
  ]
  const event: NewEvent = {
    type: draft.type,
    ownId: draft.ownId,
    fanout: [],
    body: draftBody(draft, defaults),
    bodyKey: null,
    isTest: false,
    deliverAtMs: draft.deliverAtMs,
    expiresAfterSeconds: draft.expiresAfterSeconds,
    keys,
    hash: keys.length === 0 ? null : await sha256(draft.content),
    request,
  }
  return { at, event, draft, warnings: [], exceptNo: exceptNo ?? null }
}

/** A generated id of this very workspace would make two events answer to one name. */
export function isReservedId(ownId: string | null, workspaceNo: number): boolean {
  return ownId !== null && decodePublicId('evt_', ownId)?.owner === workspaceNo
}
