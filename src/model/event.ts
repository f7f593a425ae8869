import * as z from 'zod'
import { nestingDepth, type Span } from '../base/json/members.ts'
import { isRecord } from '../base/json/value.ts'
import { deliverAtSchema, expiresAfterSecondsSchema } from './event-timing.ts'
import { apiVersionSchema, eventTypeSchema, OPERATIONAL_PREFIX } from './event-type.ts'
import type { EventView } from './event-view.ts'

/** Most events in one request. */
export const EVENTS_PER_REQUEST_MAX = 1000
/** Most bytes in one publish request: 10 MiB. */
export const REQUEST_BYTES_MAX = 10_485_760
/** A text above this goes to R2 before the event is committed. */
export const INLINE_BODY_CHARS_MAX = 60_000
/** Deepest nesting of `data` and `context`. */
export const NESTING_DEPTH_MAX = 128

/** Ids that callers choose: of events, of subscriptions, and `Idempotency-Key`. */
const CALLER_ID = /^[A-Za-z0-9_:-]{1,128}$/

const CALLER_ID_HINT =
  'must be 1-128 characters of A-Z a-z 0-9 _ - : (no dot: signatures are over id.timestamp.body)'

/** Validates an id that a caller has chosen. */
export const callerIdSchema = z.string().regex(CALLER_ID, CALLER_ID_HINT)

const jsonObjectSchema = z
  .custom<object>(isRecord, { error: 'must be a JSON object', abort: false })
  .meta({ like: z.record(z.string(), z.unknown()) })

/** ISO 8601 with a time zone, as RFC 3339 has it; passed on as it was sent. */
const timestampSchema = z.iso.datetime({
  offset: true,
  error: 'must be an ISO 8601 date and time with a time zone, such as "2024-01-15T10:30:00Z"',
})

/** The check of members that belong together, made where others are at fault too: a refusal names all at once. */
export const TOGETHER = [checkTogether, { when: ({ value }: { value: unknown }) => isRecord(value) }] as const

/**
 * Validates a publisher's event. `type` and `created_at` are aliases of `event` and `timestamp`;
 * `workspace_id` is taken and ignored, so that payloads of the profile `core` can be sent as they
 * stand.
 */
export const publishedEventSchema = z
  .strictObject({
    id: callerIdSchema.optional(),
    event: eventTypeSchema.optional(),
    type: eventTypeSchema.optional(),
    timestamp: timestampSchema.optional(),
    created_at: timestampSchema.optional(),
    livemode: z.boolean().optional(),
    api_version: apiVersionSchema.optional(),
    workspace_id: z.unknown().optional(),
    data: jsonObjectSchema,
    context: jsonObjectSchema.optional(),
    deliverAt: deliverAtSchema.optional(),
    expiresAfterSeconds: expiresAfterSecondsSchema.optional(),
  })
  .superRefine(...TOGETHER)
  .meta({ id: 'PublishedEvent', description: 'An event as it is published; `event` and `data` are required' })

/** A validated event as the publisher sent it. */
type PublishedEvent = z.infer<typeof publishedEventSchema>

type Together = { event?: unknown; type?: unknown; timestamp?: unknown; created_at?: unknown }

function checkTogether(event: Together, context: z.RefinementCtx): void {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (event.event === undefined && event.type === undefined) {
    issue('event', 'is required: the event type, such as "invoice.paid"')
  }
  const name = event.event === undefined ? 'type' : 'event'
  const type = event[name]
  if (typeof type === 'string' && type.startsWith(OPERATIONAL_PREFIX)) {
    issue(name, `must not begin with "${OPERATIONAL_PREFIX}": these are the relay's own events`)
  }
  if (event.event !== undefined && event.type !== undefined && event.event !== event.type) {
    issue('type', 'is an alias of "event": send one of them, or the same in both')
  }
  if (
    event.timestamp !== undefined &&
    event.created_at !== undefined &&
    event.timestamp !== event.created_at
  ) {
    issue('created_at', 'is an alias of "timestamp": send one of them, or the same in both')
  }
}

/** An event ready to be matched and stored. Texts are the publisher's own. */
export type DraftEvent = {
  type: string
  ownId: string | null
  timestamp: string
  /** Null where the publisher did not say: then the workspace's setting counts. */
  livemode: boolean | null
  apiVersion: string | null
  data: JsonPart
  context: JsonPart
  /** Not to be delivered before, in unix milliseconds; null for at once. */
  deliverAtMs: number | null
  expiresAfterSeconds: number | null
  /** The JSON text to hash: two publishes with the same content are the same event. */
  content: string
}

/** A member of an event: the publisher's text, and what it says. */
type JsonPart = { text: string; value: object }

/** The workspace's settings for events that do not say. */
export type EventDefaults = { livemode: boolean; apiVersion: string }

/**
 * Turns a validated event and the spans of its members into a draft; `nowIso` stands in for a
 * missing timestamp.
 */
export function draftEvent(
  event: PublishedEvent,
  text: string,
  spans: ReadonlyMap<string, Span>,
  nowIso: string,
): DraftEvent {
  const type = event.event ?? event.type ?? ''
  const given = event.timestamp ?? event.created_at ?? null
  const data = sliceOf(text, spans.get('data'))
  const context = sliceOf(text, spans.get('context'))
  // Defaults are left out: a change of them must not turn a repeated publish into a conflict.
  const common = [type, given, event.livemode ?? true, event.api_version ?? 'v1', data, context]
  const deliverAtMs = event.deliverAt ?? null
  const expiresAfterSeconds = event.expiresAfterSeconds ?? null
  const isTimed = deliverAtMs !== null || expiresAfterSeconds !== null
  const content = isTimed ? [...common, deliverAtMs, expiresAfterSeconds] : common
  return {
    type,
    ownId: event.id ?? null,
    timestamp: given ?? nowIso,
    livemode: event.livemode ?? null,
    apiVersion: event.api_version ?? null,
    data: { text: data, value: event.data },
    context: { text: context, value: event.context ?? {} },
    deliverAtMs,
    expiresAfterSeconds,
    // Few events are hashed, and the text is as long as they are.
    get content() {
      return JSON.stringify(content)
    },
  }
}

/** The stored part of a draft's default payload. */
export function draftBody(draft: DraftEvent, defaults: EventDefaults): string {
  return bodyText({
    timestamp: draft.timestamp,
    livemode: draft.livemode ?? defaults.livemode,
    apiVersion: draft.apiVersion ?? defaults.apiVersion,
    data: draft.data.text,
    context: draft.context.text,
  })
}

/** A draft as rules see it: before it is accepted only the publisher's own id is known. */
export function draftView(draft: DraftEvent, defaults: EventDefaults): EventView {
  return {
    id: draft.ownId,
    event: draft.type,
    timestamp: draft.timestamp,
    livemode: draft.livemode ?? defaults.livemode,
    api_version: draft.apiVersion ?? defaults.apiVersion,
    data: draft.data.value as Record<string, unknown>,
    context: draft.context.value as Record<string, unknown>,
  }
}

/** The stored part of the default payload: all that follows the id and the type. */
export function bodyText(parts: {
  timestamp: string
  livemode: boolean
  apiVersion: string
  data: string
  context: string
}): string {
  const version = JSON.stringify(parts.apiVersion)
  return `"timestamp":${JSON.stringify(parts.timestamp)},"livemode":${parts.livemode},"api_version":${version},"data":${parts.data},"context":${parts.context}}`
}

/** The name of the first member nested too deeply, or null. */
export function tooDeep(text: string, spans: ReadonlyMap<string, Span>): 'data' | 'context' | null {
  for (const name of ['data', 'context'] as const) {
    const span = spans.get(name)
    if (span !== undefined && nestingDepth(text, span) > NESTING_DEPTH_MAX) return name
  }
  return null
}

/** The default payload; its members are, byte for byte, what was published. */
export function defaultPayload(event: { id: string; type: string; body: string }): string {
  return `{"id":${JSON.stringify(event.id)},"event":${JSON.stringify(event.type)},${event.body}`
}

function sliceOf(text: string, span: Span | undefined): string {
  return span === undefined ? '{}' : text.slice(span.start, span.end)
}
