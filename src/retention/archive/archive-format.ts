import * as z from 'zod'
import { SEQ_MAX } from '../../base/ids/seq.ts'
import { parseJsonOrNull } from '../../base/json/value.ts'
import { iso, isoOrNull } from '../../base/time.ts'
import type { LoggedAttempt } from '../../history/attempt-log.sql.ts'
import { DELIVERY_STATES, deliveryIdOf, EVENT_ORIGINS, eventIdOf, stateNumber } from '../../model/delivery.ts'
import { defaultPayload } from '../../model/event.ts'

/**
 * The archive of purged events: compressed lines of JSON (NDJSON), the header first, then a line
 * for each event with its deliveries and attempts. Payloads are texts, so that numbers stand as
 * sent. It holds nothing sealed, and no headers of requests.
 */
const ARCHIVE_FORMAT = 'posthorn-archive'
const VERSION = 1

/** Longest line: a payload of 10 MB of which every character is escaped, and as much again for receivers' answers. */
const LINE_CHARS_MAX = 50_000_000

/** Numbers of rows: an event that named another one could be written outside its workspace. */
const rowNoSchema = z.int().min(1)
const seqSchema = rowNoSchema.max(SEQ_MAX)
const countSchema = z.int().min(0)

const headerSchema = z.object({
  format: z.literal(ARCHIVE_FORMAT),
  version: z.literal(VERSION),
  workspace: z.string(),
  events: countSchema,
})

const timeSchema = z.iso.datetime().transform((text) => Date.parse(text))

const attemptSchema = z.object({
  attempt: rowNoSchema,
  at: timeSchema,
  status: countSchema.nullable(),
  error: z.string().nullable(),
  latencyMs: countSchema.nullable(),
  response: z.string().nullable(),
  /** Missing in older archives. */
  detail: z.string().nullable().default(null),
})

const deliverySchema = z.object({
  id: z.string(),
  subscription: z.string(),
  subscriptionNo: rowNoSchema,
  status: z.enum(DELIVERY_STATES),
  error: z.string().nullable(),
  attempts: z.array(attemptSchema),
})

const eventSchema = z.object({
  seq: seqSchema,
  id: z.string(),
  event: z.string(),
  acceptedAt: timeSchema,
  ownId: z.string().nullable(),
  contentHash: z.string().nullable(),
  origin: z.enum(EVENT_ORIGINS),
  deliverAt: timeSchema.nullable(),
  expiresAfterSeconds: countSchema.nullable(),
  cancelledAt: timeSchema.nullable(),
  erasedAt: timeSchema.nullable(),
  fanout: z.array(z.int()),
  payload: z.string().nullable(),
  deliveries: z.array(deliverySchema),
})

/** An attempt in an archive; `detail` is what else its row keeps of the answer. */
export type ArchivedAttempt = Omit<LoggedAttempt, 'seq'> & { detail: string | null }

/** A delivery in an archive; `error` is its row's: of the skip, or of its last attempt. */
export type ArchivedDelivery = {
  subscriptionNo: number
  subscriptionId: string
  state: number
  error: string | null
  attempts: ArchivedAttempt[]
}

/**
 * An event in an archive. `origin` is stored as in `event.is_test`; `contentHash` recognises a
 * repeat of its own id.
 */
export type ArchivedEvent = {
  seq: number
  type: string
  acceptedAtMs: number
  ownId: string | null
  contentHash: string | null
  origin: number
  deliverAtMs: number | null
  expiresAfterSeconds: number | null
  cancelledAtMs: number | null
  erasedAtMs: number | null
  fanout: number[]
  /** The payload's text after the id and the type; null when it was erased or lost. */
  body: string | null
  deliveries: ArchivedDelivery[]
}

/**
 * The key of an archive in R2; `random` keeps a repeated step from overwriting the first one's
 * object.
 */
export function archiveKey(
  workspaceId: string,
  range: { firstSeq: number; lastSeq: number },
  random: string,
): string {
  return `${archivePrefix(workspaceId)}${range.firstSeq}-${range.lastSeq}-${random}.ndjson.gz`
}

/** The beginning of the keys of a workspace's archives. */
export function archivePrefix(workspaceId: string): string {
  return `archive/${workspaceId}/`
}

/** An archive's first line. */
export function archiveHeader(workspaceId: string, events: number): string {
  return JSON.stringify({ format: ARCHIVE_FORMAT, version: VERSION, workspace: workspaceId, events })
}

/** An event's line. */
export function archiveLine(workspaceNo: number, event: ArchivedEvent): string {
  const { seq, type, ownId, contentHash, fanout, expiresAfterSeconds, body } = event
  const id = eventIdOf({ workspaceNo, seq, ownId })
  const line: z.input<typeof eventSchema> = {
    seq,
    id,
    event: type,
    acceptedAt: iso(event.acceptedAtMs),
    ownId,
    contentHash,
    origin: EVENT_ORIGINS[event.origin] ?? 'published',
    deliverAt: isoOrNull(event.deliverAtMs),
    expiresAfterSeconds,
    cancelledAt: isoOrNull(event.cancelledAtMs),
    erasedAt: isoOrNull(event.erasedAtMs),
    fanout,
    payload: body === null ? null : defaultPayload({ id, type, body }),
    deliveries: event.deliveries.map((delivery) => deliveryOf(seq, delivery)),
  }
  return JSON.stringify(line)
}

function deliveryOf(seq: number, delivery: ArchivedDelivery): z.input<typeof deliverySchema> {
  const { subscriptionNo, subscriptionId, state, error, attempts } = delivery
  return {
    id: deliveryIdOf({ subscriptionNo, seq }),
    subscription: subscriptionId,
    subscriptionNo,
    status: DELIVERY_STATES[state] ?? 'pending',
    error,
    attempts: attempts.map(({ n, atMs, ...rest }) => ({ attempt: n, at: iso(atMs), ...rest })),
  }
}

/** True for the header of an archive of this workspace. */
export function isArchiveHeader(line: string, workspaceId: string): boolean {
  const header = headerSchema.safeParse(parseJsonOrNull(line))
  return header.success && header.data.workspace === workspaceId
}

/**
 * Reads an event's line back; null for a line that this relay has not written for this workspace.
 */
export function parseArchiveLine(workspaceNo: number, line: string): ArchivedEvent | null {
  const parsed = eventSchema.safeParse(parseJsonOrNull(line))
  if (!parsed.success) return null
  const { seq, id, event: type, ownId, payload, acceptedAt, deliverAt, cancelledAt, erasedAt } = parsed.data
  const { contentHash, origin, expiresAfterSeconds, fanout, deliveries } = parsed.data
  const head = defaultPayload({ id, type, body: '' })
  if (id !== eventIdOf({ workspaceNo, seq, ownId })) return null
  if (payload !== null && !payload.startsWith(head)) return null
  return {
    seq,
    type,
    ownId,
    contentHash,
    expiresAfterSeconds,
    fanout,
    acceptedAtMs: acceptedAt,
    origin: EVENT_ORIGINS.indexOf(origin),
    deliverAtMs: deliverAt,
    cancelledAtMs: cancelledAt,
    erasedAtMs: erasedAt,
    body: payload === null ? null : payload.slice(head.length),
    deliveries: deliveries.map(({ subscriptionNo, subscription, status, error, attempts }) => ({
      subscriptionNo,
      subscriptionId: subscription,
      state: stateNumber(status),
      error,
      attempts: attempts.map(({ attempt, at, ...rest }) => ({ n: attempt, atMs: at, ...rest })),
    })),
  }
}

/** Yields the lines of an archive; rejects where it cannot be read on. */
export async function* linesOf(compressed: ReadableStream): AsyncGenerator<string> {
  const texts = compressed
    .pipeThrough(new DecompressionStream('gzip'))
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let parts: string[] = []
  let chars = 0
  for (;;) {
    const { value, done } = await texts.read()
    if (done) break
    const [first = '', ...others] = value.split('\n')
    parts.push(first)
    chars += first.length
    for (const other of others) {
      yield parts.join('')
      parts = [other]
      chars = other.length
    }
    // A few bytes of gzip may be gigabytes of text.
    if (chars > LINE_CHARS_MAX) {
      await texts.cancel()
      throw new Error('a line is longer than any that is written')
    }
  }
  // Every line ends in a line feed: what follows the last one has been cut off.
  if (parts.join('') !== '') throw new Error('the last line was cut off')
}
