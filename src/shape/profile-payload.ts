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

/** A payload's text and its media type. */
export type Payload = { text: string; contentType: string }

const CLOUDEVENTS_TYPE = 'application/cloudevents+json'

/**
 * Writes an event in a profile's form. The publisher's timestamp, `data` and `context` are spliced
 * in, never parsed and printed again: 2567.50 and 12345678901234567890 arrive as they were sent.
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

/** The payload of `core`. `data` that is already `{"object": …}` is not wrapped twice. */
function corePayload({ id, type, body, workspaceId }: PayloadEvent): string {
  const spans = spansOf(body)
  const data = textOf(body, spans, 'data')
  const hasObject = memberSpans(body, spanOf(spans, 'data').start).has('object')
  const wrapped = hasObject ? data : `{"object":${data}}`
  return `{"id":${quote(id)},"type":${quote(type)},"created_at":${textOf(body, spans, 'timestamp')},"data":${wrapped},"workspace_id":${workspaceValue(workspaceId)}}`
}

/** The payload of `ledgerly` and `marko`: `{event, data}`. */
function eventAndData({ type, body }: PayloadEvent): string {
  return `{"event":${quote(type)},"data":${textOf(body, spansOf(body), 'data')}}`
}

/** Standard Webhooks' payload, by its section "Payload structure". */
function standardWebhooksPayload({ type, body }: PayloadEvent): string {
  const spans = spansOf(body)
  return `{"type":${quote(type)},"timestamp":${textOf(body, spans, 'timestamp')},"data":${textOf(body, spans, 'data')}}`
}

/** CloudEvents 1.0, JSON format in structured mode; members without an attribute become extensions. */
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
 * Makes a JSON text fit for a CloudEvents extension, which is a string without control characters.
 * In JSON these stand between tokens, where a space does, or in strings, where they can be escaped:
 * the text keeps its meaning.
 */
function scalarText(json: string): string {
  return json
    .replace(/[\t\n\r]/g, ' ')
    .replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The ids of `core` are numbers; 15 digits are exact in every reader. */
const NUMERIC_ID = /^(0|[1-9]\d{0,14})$/

function workspaceValue(workspaceId: string): string {
  return NUMERIC_ID.test(workspaceId) ? workspaceId : quote(workspaceId)
}

/** A stored body lacks its opening brace; the walk starts one character before the text to save a copy. */
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
