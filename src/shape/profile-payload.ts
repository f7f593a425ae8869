import { memberSpans, type Span } from '../base/json/members.ts'
import { defaultPayload } from '../model/event.ts'
import { JSON_TYPE } from './content-type.ts'
import type { PayloadForm } from './profile.ts'

/** An event to be written as a payload. */
export type PayloadEvent = {
  id: string
  type: string
  /** The default payload's text after `"event":"…",`, as stored. */
  body: string
  /** The workspace's public id. */
  workspaceId: string
  /** The CloudEvents `source`, a URI reference; without it the workspace's own. */
  source?: string | null | undefined
}

/** What is sent: its text and its media type. */
export type Payload = { text: string; contentType: string }

const CLOUDEVENTS_TYPE = 'application/cloudevents+json'

/**
 * An event in a profile's form (design section 4). The publisher's timestamp, `data` and `context` are spliced, never
 * parsed and printed again: 2567.50 and 12345678901234567890 arrive as they were sent.
 *
 * @throws Error when `body` is not a stored body, which is a mistake of the caller
 */
export function profilePayload(form: PayloadForm, event: PayloadEvent): Payload {
  switch (form) {
    case 'standard':
    case 'bigledger':
      return { text: defaultPayload(event), contentType: JSON_TYPE }
    case 'core':
      return { text: corePayload(event), contentType: JSON_TYPE }
    case 'ledgerly':
    case 'marko':
      return { text: eventAndData(event), contentType: JSON_TYPE }
    case 'cloudevents':
      return { text: cloudEvent(event), contentType: CLOUDEVENTS_TYPE }
    case 'standard-webhooks':
      return { text: standardWebhooksPayload(event), contentType: JSON_TYPE }
  }
}

/** Seed 001. `data` that is already `{"object": …}`, as seed 002 publishes it, is not wrapped twice. */
function corePayload({ id, type, body, workspaceId }: PayloadEvent): string {
  const spans = spansOf(body)
  const data = textOf(body, spans, 'data')
  const hasObject = memberSpans(body, spanOf(spans, 'data').start).has('object')
  const wrapped = hasObject ? data : `{"object":${data}}`
  return `{"id":${quote(id)},"type":${quote(type)},"created_at":${textOf(body, spans, 'timestamp')},"data":${wrapped},"workspace_id":${workspaceValue(workspaceId)}}`
}

/** Seed 000's `{event, data}`, which is seed 003's too. */
function eventAndData({ type, body }: PayloadEvent): string {
  return `{"event":${quote(type)},"data":${textOf(body, spansOf(body), 'data')}}`
}

/** Standard Webhooks, "Payload structure". */
function standardWebhooksPayload({ type, body }: PayloadEvent): string {
  const spans = spansOf(body)
  return `{"type":${quote(type)},"timestamp":${textOf(body, spans, 'timestamp')},"data":${textOf(body, spans, 'data')}}`
}

/** CloudEvents 1.0 in the structured mode of its JSON format; what it has no attribute for is in extensions. */
function cloudEvent({ id, type, body, workspaceId, source }: PayloadEvent): string {
  const spans = spansOf(body)
  const attributes = [
    '"specversion":"1.0"',
    `"id":${quote(id)}`,
    `"source":${quote(source ?? `/posthorn/workspaces/${workspaceId}`)}`,
    `"type":${quote(type)}`,
    `"time":${textOf(body, spans, 'timestamp')}`,
    `"datacontenttype":"${JSON_TYPE}"`,
    `"livemode":${textOf(body, spans, 'livemode')}`,
    `"apiversion":${textOf(body, spans, 'api_version')}`,
  ]
  const context = textOf(body, spans, 'context')
  if (!EMPTY_OBJECT.test(context)) attributes.push(`"context":${quote(scalarText(context))}`)
  return `{${attributes.join(',')},"data":${textOf(body, spans, 'data')}}`
}

const EMPTY_OBJECT = /^\{\s*\}$/

/**
 * A JSON text fit for a CloudEvents string: extensions must be scalar, so an object travels as its text, and a string
 * holds no control characters. In JSON these stand either between tokens, where a space does, or (from U+007F on) in
 * strings, where they can be escaped: the text means what it meant.
 */
function scalarText(json: string): string {
  return json
    .replace(/[\t\n\r]/g, ' ')
    .replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Seed 001's ids are numbers; 15 digits are exact in every reader. */
const NUMERIC_ID = /^(0|[1-9]\d{0,14})$/

function workspaceValue(workspaceId: string): string {
  return NUMERIC_ID.test(workspaceId) ? workspaceId : quote(workspaceId)
}

/** A stored body lacks its opening brace: the walk starts one character before the text, not with a copy of it. */
function spansOf(body: string): ReadonlyMap<string, Span> {
  return memberSpans(body, -1)
}

function spanOf(spans: ReadonlyMap<string, Span>, name: string): Span {
  const span = spans.get(name)
  if (span === undefined) throw new Error(`a stored event has no "${name}"`)
  return span
}

function textOf(body: string, spans: ReadonlyMap<string, Span>, name: string): string {
  const { start, end } = spanOf(spans, name)
  return body.slice(start, end)
}

function quote(text: string): string {
  return JSON.stringify(text)
}
