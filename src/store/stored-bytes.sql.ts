import { SEQ_BITS } from '../base/ids/seq.ts'

/** Bytes of an event's row beside its text, and of a text in R2: its least size, since it is not read. */
const ROW_BYTES = 150
const LARGE_TEXT_BYTES = 60_000

/** SQL for the bytes of an event's text; `e` is the event table. */
export const TEXT_BYTES = `CASE WHEN e.body IS NOT NULL THEN octet_length(e.body) WHEN e.body_key IS NOT NULL THEN ${LARGE_TEXT_BYTES} ELSE 0 END`

/** SQL for what an event counts for in its workspace's `stored_bytes`. */
export const EVENT_BYTES = `${ROW_BYTES} + ${TEXT_BYTES}`

/** SQL for what the events count for between a workspace's mark and a higher one: workspace ?1, from `swept_seq` to ?2. */
export const SWEPT_BYTES = `(SELECT coalesce(sum(${EVENT_BYTES}), 0) FROM event e
  WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.swept_seq AND e.pk <= (?1 << ${SEQ_BITS}) | ?2)`
