import { SEQ_BITS } from '../base/ids/seq.ts'

/** Bytes of a row beside its text, and the least size of a text in R2, which is not read. */
const ROW_BYTES = 150
const LARGE_TEXT_BYTES = 60_000

/** SQL for the bytes of an event's text; `e` is the event table. */
export const TEXT_BYTES = `CASE WHEN e.body IS NOT NULL THEN octet_length(e.body) WHEN e.body_key IS NOT NULL THEN ${LARGE_TEXT_BYTES} ELSE 0 END`

/** SQL for the bytes that an event adds to its workspace's `stored_bytes`. */
export const EVENT_BYTES = `${ROW_BYTES} + ${TEXT_BYTES}`

/** SQL for the bytes of a workspace's events above `swept_seq` up to ?2; ?1 is the workspace. */
export const SWEPT_BYTES = `(SELECT coalesce(sum(${EVENT_BYTES}), 0) FROM event e
  WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.swept_seq AND e.pk <= (?1 << ${SEQ_BITS}) | ?2)`
