import type { StoredEvent } from '../../../model/delivery.ts'
import {
  type BatchElement,
  countFitting,
  type Envelope,
  envelopeOf,
  leastBytes,
} from '../../../shape/batch-payload.ts'
import { isJsonContentType } from '../../../shape/content-type.ts'
import type { CompiledTransform } from '../../../shape/transform.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import {
  type Bytes,
  encode,
  type Payload,
  type PayloadRenderer,
  type RenderedPart,
  TEXT_MISSING,
} from './payload-renderer.ts'

/** An event of a batch. */
export type BatchMember = { event: StoredEvent }

/** The input of one rendering. */
export type BatchToRender = {
  batchId: string
  boundAtMs: number
  /** In accepted order, at least one. */
  members: readonly BatchMember[]
  subscription: Subscription
  transform: CompiledTransform | null
  /** Most bytes of the whole body; an event that is larger by itself goes alone. */
  maxBytes: number
  /** Renders default payloads again, as an earlier attempt did, even if the settings have changed since. */
  isDefault?: boolean
}

/** A member that cannot be rendered: it fails alone. `message` is for its log. */
export type FailedMember = { seq: number; fault: 'template' | 'internal'; message: string }

/** The result of rendering. Each member's number is in exactly one of the three lists, in accepted order. */
export type RenderedBatch = {
  /** Null when no member could be rendered; of kind `default` when the members give the same bytes again. */
  payload: Payload | null
  /** Those in the body. */
  carried: number[]
  failed: FailedMember[]
  /** The members behind the last that fits into `maxBytes` or that an order lets go: for another batch. */
  overflow: number[]
}

type Collected = {
  elements: BatchElement[]
  /** Where each element stands among the members. */
  positions: number[]
  failed: (FailedMember & { position: number })[]
  envelope: Envelope | null
  isDefault: boolean
  /** Where rendering stopped: the number of members, or the first that has no room for sure. */
  end: number
}

/**
 * Renders a batch: each element is the payload that its event would have alone. Large texts are read one at a time, and
 * none behind the first that has no room.
 */
export async function renderBatch(renderer: PayloadRenderer, batch: BatchToRender): Promise<RenderedBatch> {
  const { members, maxBytes } = batch
  const { elements, positions, failed, envelope, isDefault, end } = await collect(renderer, batch)
  let payload = envelope === null ? null : payloadOf(envelope, elements, isDefault)
  let count = elements.length
  let stop = end
  if (payload !== null && envelope !== null && payload.bytes.length > maxBytes) {
    count = countFitting(elements, envelope, maxBytes)
    stop = positions[count] ?? end
    if (count < elements.length) payload = payloadOf(envelope, elements.slice(0, count), isDefault)
    // A member that is too large by itself goes alone.
    if (payload.bytes.length > maxBytes) stop = (positions[0] ?? 0) + 1
  }
  const seqsOf = (some: readonly BatchMember[]) => some.map(({ event }) => event.seq)
  return {
    payload,
    carried: seqsOf(positions.slice(0, count).flatMap((position) => members[position] ?? [])),
    failed: failed
      .filter(({ position }) => position < stop)
      .map(({ seq, fault, message }) => ({ seq, fault, message })),
    overflow: seqsOf(members.slice(stop)),
  }
}

/** Renders members one after the other, as long as the least bytes that they can have leave room. */
async function collect(renderer: PayloadRenderer, batch: BatchToRender): Promise<Collected> {
  const { members, maxBytes } = batch
  const isOrdered = batch.subscription.settings.ordered
  const collected: Collected = {
    elements: [],
    positions: [],
    failed: [],
    envelope: null,
    isDefault: true,
    end: members.length,
  }
  const { elements, positions, failed } = collected
  let bytes = 0
  for (const [position, { event }] of members.entries()) {
    const part = await renderMember(renderer, batch, event)
    if (part.kind === 'unrendered') {
      const fault = { position, seq: event.seq, fault: part.fault, message: part.message }
      if (isOrdered) return stoppedAt(collected, fault)
      failed.push(fault)
      continue
    }
    const { content, contentType, isDefault } = part
    collected.envelope ??= envelopeOf(contentType, batch)
    const { head, tail } = collected.envelope
    bytes += leastBytes(content) + (elements.length === 0 ? head.length + tail.length : 1)
    // Not joined with the others first: it may be twice as large as all of them.
    if (bytes > maxBytes && elements.length > 0) return { ...collected, end: position }
    elements.push(content)
    positions.push(position)
    collected.isDefault &&= isDefault
    if (bytes > maxBytes) return { ...collected, end: position + 1 }
  }
  return collected
}

/** Where an order is kept, members behind a faulty one wait for it, and it fails only once it is the first. */
function stoppedAt(collected: Collected, fault: Collected['failed'][0]): Collected {
  const { position } = fault
  return position > 0 ? { ...collected, end: position } : { ...collected, failed: [fault], end: 1 }
}

type Unrendered = { kind: 'unrendered'; fault: FailedMember['fault']; message: string }

async function renderMember(
  renderer: PayloadRenderer,
  { subscription, transform, isDefault }: BatchToRender,
  event: StoredEvent,
): Promise<Extract<RenderedPart, { kind: 'rendered' }> | Unrendered> {
  const part = isDefault
    ? await renderer.renderDefaultPart(event)
    : await renderer.renderPart(event, subscription, transform)
  if (part.kind === 'missing') return { kind: 'unrendered', fault: 'internal', message: TEXT_MISSING }
  if (part.kind === 'failed') return { kind: 'unrendered', fault: 'template', message: part.message }
  if (isJsonContentType(part.contentType)) return part
  const message = `contentType: must be JSON for events to go in batches, not ${part.contentType}`
  return { kind: 'unrendered', fault: 'template', message }
}

function payloadOf(
  { head, tail, contentType }: Envelope,
  elements: readonly BatchElement[],
  isDefault: boolean,
): Payload {
  if (elements.every((element) => typeof element === 'string')) {
    const text = `${head}${elements.join(',')}${tail}`
    const kept = isDefault ? { kind: 'default' as const, text: null } : { kind: 'kept' as const, text }
    return { bytes: encode(text), contentType, ...kept }
  }
  // Only default payloads come as bytes.
  const parts = elements.flatMap((element, n) => [encode(n === 0 ? head : ','), bytesOf(element)])
  return { bytes: joinBytes(parts, encode(tail)), contentType, kind: 'default', text: null }
}

function bytesOf(element: BatchElement): Uint8Array {
  return typeof element === 'string' ? encode(element) : element
}

function joinBytes(parts: readonly Uint8Array[], last: Uint8Array): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, last.length))
  let at = 0
  for (const part of [...parts, last]) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
