import { Yielder } from '../../../base/concurrency/yielder.ts'
import type { CompiledAddress, RenderedAddress } from '../../../destination/address.ts'
import { eventIdOf, type PayloadKind, type StoredEvent } from '../../../model/delivery.ts'
import { defaultPayload } from '../../../model/event.ts'
import { JSON_TYPE } from '../../../shape/content-type.ts'
import { SharedWork } from '../../../shape/liquid/budget.ts'
import { type PayloadForm, payloadForm } from '../../../shape/profile.ts'
import { profilePayload } from '../../../shape/profile-payload.ts'
import type { CompiledTransform, Renderer, TemplateInput } from '../../../shape/transform.ts'
import { getBody } from '../../../store/bodies.ts'
import type { SubscriptionSettings } from '../../../subscription/settings.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import type { KeptBody } from '../claimed-delivery.ts'

/** Bytes in memory of their own, which no other isolate shares. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The body of a request. `text` is there where the bytes would have to be kept for retries. */
export type Payload = { bytes: Bytes; contentType: string; kind: PayloadKind; text: string | null }

/** The result of rendering: a payload, a template that failed on this event, or a large text gone from R2. */
export type RenderedPayload =
  | { kind: 'rendered'; payload: Payload }
  | { kind: 'failed'; message: string }
  | { kind: 'missing' }

/** The same of one member of a batch: text or UTF-8 bytes, not joined with the others yet. */
export type RenderedPart =
  | { kind: 'rendered'; content: string | Bytes; contentType: string; isDefault: boolean }
  | { kind: 'failed'; message: string }
  | { kind: 'missing' }

/** Work of a rendering in the time of one step. */
const WORK_PER_STEP = 3

/** Said of an event whose large text is gone from R2. */
export const TEXT_MISSING = 'The text of the event is missing from storage.'

/**
 * Renders events for subscriptions. The default payload is made once per event and shared; large texts are read for
 * each request, as all of them together may not fit in memory.
 */
export class PayloadRenderer {
  readonly #bodies: R2Bucket
  readonly #defaults = new Map<StoredEvent, Promise<Bytes | null>>()
  readonly #inputs = new Map<StoredEvent, TemplateInput>()
  /** By workspace, so that none is refused for the templates of another. */
  readonly #work = new Map<number, SharedWork>()
  readonly #yielder = new Yielder()

  constructor(bodies: R2Bucket) {
    this.#bodies = bodies
  }

  /** Renders for a first attempt, in the subscription's own form. */
  async render(
    event: StoredEvent,
    subscription: Subscription,
    transform: CompiledTransform | null,
  ): Promise<RenderedPayload> {
    if (isDefaultForm(subscription, transform)) return await this.renderDefault(event)
    const shaped = await this.#shape(event, subscription, transform)
    if (shaped.kind !== 'rendered') return shaped
    const { content: text, contentType } = shaped
    return { kind: 'rendered', payload: { bytes: encode(text), contentType, kind: 'kept', text } }
  }

  /** Renders the default payload, its members byte for byte as they were published. */
  async renderDefault(event: StoredEvent): Promise<RenderedPayload> {
    const bytes = await this.#defaultBytes(event)
    if (bytes === null) return { kind: 'missing' }
    return { kind: 'rendered', payload: { bytes, contentType: JSON_TYPE, kind: 'default', text: null } }
  }

  /** Renders an event's part of a batch: as `render` does, but not encoded, as it is joined with others first. */
  async renderPart(
    event: StoredEvent,
    subscription: Subscription,
    transform: CompiledTransform | null,
  ): Promise<RenderedPart> {
    if (isDefaultForm(subscription, transform)) return await this.renderDefaultPart(event)
    return await this.#shape(event, subscription, transform)
  }

  /** Renders the default payload as a part of a batch. A large text stays bytes: it is not decoded for it. */
  async renderDefaultPart(event: StoredEvent): Promise<RenderedPart> {
    const id = eventIdOf(event)
    const content =
      event.body === null
        ? await this.#readDefault(event)
        : defaultPayload({ id, type: event.type, body: event.body })
    if (content === null) return { kind: 'missing' }
    return { kind: 'rendered', content, contentType: JSON_TYPE, isDefault: true }
  }

  /** Reads the payload that an earlier attempt was to send. */
  async renderKept(kept: KeptBody): Promise<RenderedPayload> {
    const { body, bodyKey, contentType } = kept
    const bytes =
      body !== null ? encode(body) : bodyKey === null ? null : await getBody(this.#bodies, bodyKey)
    if (bytes === null) return { kind: 'missing' }
    return { kind: 'rendered', payload: { bytes: bytes as Bytes, contentType, kind: 'kept', text: null } }
  }

  /** Renders the URL and headers of one event's request, with the work that all templates share. */
  async renderAddress(
    event: StoredEvent,
    address: CompiledAddress,
  ): Promise<RenderedAddress | { kind: 'missing' }> {
    const body = await this.#bodyText(event)
    if (body === null) return { kind: 'missing' }
    const text = defaultPayload({ id: eventIdOf(event), type: event.type, body })
    return await this.#transform(address, event, text)
  }

  async #shape(event: StoredEvent, subscription: Subscription, transform: CompiledTransform | null) {
    const body = await this.#bodyText(event)
    if (body === null) return { kind: 'missing' as const }
    const { workspaceId, settings } = subscription
    const source = { id: eventIdOf(event), type: event.type, body, workspaceId, source: null }
    const shaped =
      transform === null
        ? { kind: 'rendered' as const, ...profilePayload(formOf(settings), source) }
        : await this.#transform(transform, event, defaultPayload(source))
    if (shaped.kind === 'failed') {
      return { kind: 'failed' as const, message: `${shaped.path}: ${shaped.message}` }
    }
    const { text, contentType } = shaped
    return { kind: 'rendered' as const, content: text, contentType, isDefault: false }
  }

  /** Renders with the work that the workspace's templates share, and lets others go on between them. */
  async #transform<T>(transform: Renderer<T>, event: StoredEvent, text: string): Promise<T> {
    const shared = this.#work.get(event.workspaceNo) ?? new SharedWork()
    this.#work.set(event.workspaceNo, shared)
    const before = shared.left
    const rendered = await this.#yielder.work(transform.inTurns(this.#input(event, text), shared))
    await this.#yielder.after((before - shared.left) / WORK_PER_STEP)
    return rendered
  }

  /** One object per event: transforms keep what they parsed of it. */
  #input(event: StoredEvent, text: string): TemplateInput {
    const known = this.#inputs.get(event)
    if (known !== undefined) return known
    const input = { text }
    if (event.bodyKey === null) this.#inputs.set(event, input)
    return input
  }

  #defaultBytes(event: StoredEvent): Promise<Bytes | null> {
    const known = this.#defaults.get(event)
    if (known !== undefined) return known
    const bytes = this.#readDefault(event)
    if (event.bodyKey === null) this.#defaults.set(event, bytes)
    return bytes
  }

  async #readDefault(event: StoredEvent): Promise<Bytes | null> {
    const id = eventIdOf(event)
    if (event.body !== null) return encode(defaultPayload({ id, type: event.type, body: event.body }))
    const rest = event.bodyKey === null ? null : await getBody(this.#bodies, event.bodyKey)
    if (rest === null) return null
    const head = encode(defaultPayload({ id, type: event.type, body: '' }))
    const payload = new Uint8Array(head.length + rest.length)
    payload.set(head)
    payload.set(rest, head.length)
    return payload
  }

  async #bodyText(event: StoredEvent): Promise<string | null> {
    if (event.body !== null) return event.body
    const bytes = event.bodyKey === null ? null : await getBody(this.#bodies, event.bodyKey)
    return bytes === null ? null : new TextDecoder().decode(bytes)
  }
}

function isDefaultForm({ settings }: Subscription, transform: CompiledTransform | null): boolean {
  const form = formOf(settings)
  return transform === null && (form === 'standard' || form === 'bigledger')
}

function formOf({ profile, custom }: SubscriptionSettings): PayloadForm {
  return payloadForm(profile, custom)
}

/** UTF-8 bytes of a text. */
export function encode(text: string): Bytes {
  // TextEncoder never answers a view of shared memory; its type only allows for one.
  return new TextEncoder().encode(text) as Bytes
}
