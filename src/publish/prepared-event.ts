import type { Problem } from '../model/errors.ts'
import type { DraftEvent } from '../model/event.ts'
import type { NewEvent } from './event-insert.sql.ts'

/** What became of one published event. */
export type PublishOutcome =
  | { kind: 'accepted'; id: string; matched: number; warnings: string[] }
  | { kind: 'duplicate'; id: string; matched: number }
  | { kind: 'conflict'; key: 'id' | 'Idempotency-Key' }
  | { kind: 'own_id_reserved' }
  /** The workspace's catalogue does not know the type, or its schema refuses the data. */
  | { kind: 'not_in_catalogue'; details: Problem[] }
  | { kind: 'fanout_too_large'; pairsMax: number }
  /** The configuration kept changing under the publish; nothing was written for this event. */
  | { kind: 'contended' }

/** A draft with the idempotency key that came with it. */
export type Publishable = {
  draft: DraftEvent
  idempotencyKey: string | null
  /** A subscription that is not to get the event, whatever it asked for. */
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
