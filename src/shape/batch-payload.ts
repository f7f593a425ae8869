import { iso } from '../base/time.ts'
import { JSON_TYPE } from './content-type.ts'

/**
 * A batch's public id and the time at which it was formed, in unix milliseconds: the same in every
 * attempt.
 */
type BatchLabel = { batchId: string; boundAtMs: number }

/** The text around the elements of a batch, which are joined by commas. */
export type Envelope = { head: string; tail: string; contentType: string }

/** The payload that one event would have alone: text, or the UTF-8 bytes of a large one. */
export type BatchElement = string | Uint8Array

/** The event type in the signature headers of a batch: its members may be of many types. */
export const BATCH_EVENT = 'batch'

const CLOUDEVENTS_TYPE = 'application/cloudevents+json'
const CLOUDEVENTS_BATCH_TYPE = 'application/cloudevents-batch+json'

/**
 * Picks the envelope for elements of a media type: CloudEvents' JSON batch format, a list, for
 * CloudEvents, and `{"batch":true,…}` for all others.
 */
export function envelopeOf(elementType: string, { batchId, boundAtMs }: BatchLabel): Envelope {
  if (essenceOf(elementType) === CLOUDEVENTS_TYPE) {
    return { head: '[', tail: ']', contentType: CLOUDEVENTS_BATCH_TYPE }
  }
  const time = iso(boundAtMs)
  return {
    head: '{"batch":true,"events":[',
    tail: `${idPart(batchId)}"${time}"}`,
    contentType: JSON_TYPE,
  }
}

/** Counts the first elements that fit into a body of at most `maxBytes`; at least one, however large. */
export function countFitting(
  elements: readonly BatchElement[],
  { head, tail }: Envelope,
  maxBytes: number,
): number {
  let bytes = utf8Bytes(head) + utf8Bytes(tail) - 1
  let count = 0
  for (const element of elements) {
    bytes += 1 + utf8Bytes(element)
    if (bytes > maxBytes && count > 0) return count
    count++
  }
  return count
}

/** A lower bound of an element's bytes without encoding it: UTF-8 is never shorter than UTF-16 units. */
export function leastBytes(element: BatchElement): number {
  return element.length
}

/** Halves a batch that a receiver called too large, in order; the first half takes the odd member. */
export function splitInHalf<T>(members: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(members.length / 2)
  return [members.slice(0, middle), members.slice(middle)]
}

/**
 * Tells from a body's end whether it is the batch of an id. A list of CloudEvents does not name its
 * batch: that is a `maybe`.
 */
export function mayBeBatch(body: Uint8Array, contentType: string, batchId: string): 'yes' | 'no' | 'maybe' {
  if (contentType === CLOUDEVENTS_BATCH_TYPE) return 'maybe'
  const { tail } = envelopeOf(JSON_TYPE, { batchId, boundAtMs: 0 })
  const end = new TextDecoder().decode(body.subarray(Math.max(0, body.length - tail.length)))
  return contentType === JSON_TYPE && end.startsWith(idPart(batchId)) ? 'yes' : 'no'
}

function idPart(batchId: string): string {
  return `],"batchId":${JSON.stringify(batchId)},"batchTimestamp":`
}

function utf8Bytes(element: BatchElement): number {
  return typeof element === 'string' ? new TextEncoder().encode(element).length : element.length
}

function essenceOf(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
