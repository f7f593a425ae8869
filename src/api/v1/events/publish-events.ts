import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { withinMs } from '../../../base/concurrency/wait.ts'
import { elementStarts, memberSpans } from '../../../base/json/members.ts'
import { invalidField, invalidFields, type Problem, RelayError } from '../../../model/errors.ts'
import {
  callerIdSchema,
  draftEvent,
  EVENTS_PER_REQUEST_MAX,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  REQUEST_BYTES_MAX,
  tooDeep,
} from '../../../model/event.ts'
import { deliverAtRefusal } from '../../../model/event-timing.ts'
import type { Publishable, PublishOutcome } from '../../../publish/prepared-event.ts'
import { publish } from '../../../publish/publish.ts'
import { isReceivedLogged, logReceived } from '../../../publish/received-line.ts'
import { readJson } from '../../body.ts'
import { requireRoom } from '../../capacity-guard.ts'
import type { AppEnv } from '../../context.ts'
import { API_PREFIXES, errorSchema } from '../../define-route.ts'
import { invalidInput } from '../../error-response.ts'

/** A publish that is not committed by then is answered 503; what it wrote may still be committed. */
const COMMIT_DEADLINE_MS = 10_000
const RETRY_AFTER_SECONDS = 2

/** One event's answer. */
type ItemAnswer =
  | { id: string; status: 'accepted' | 'duplicate'; matched: number; warnings?: string[] }
  | { status: 'rejected'; error: { code: string; message: string; details?: Problem[] } }

/**
 * `POST /events`: one event, or `{"events": […]}` with 1-1,000 of them, 10 MB together. Answers 202 only after the
 * commit; of several each is accepted, a duplicate or rejected on its own. Errors: 400, 409, 413, 415, 503.
 */
export function publishEvents(app: OpenAPIHono<AppEnv>): void {
  describe(app)
  for (const prefix of API_PREFIXES) app.post(`${prefix}/events`, handle)
}

async function handle(c: Context<AppEnv>): Promise<Response> {
  const idempotencyKey = keyOf(c.req.header('idempotency-key'))
  const { text, value } = await readJson(c.req.raw, REQUEST_BYTES_MAX)
  const relay = c.get('relay')
  const nowMs = relay.now()
  const requestId = c.get('requestId')
  const isSeveral = isBulk(value)
  const answers = isSeveral
    ? await publishBulk(c, text, value, { idempotencyKey, nowMs })
    : [await publishOne(c, text, value, { idempotencyKey, nowMs })]
  if (isReceivedLogged(relay, answers)) {
    const request = { workspace: c.get('workspaceId'), requestId, text, startedAtMs: nowMs }
    logReceived(relay, request, answers)
  }
  return accepted(isSeveral ? { events: answers } : answers[0], requestId)
}

/** Publishes a single event; a refusal is the answer to the whole request. */
async function publishOne(
  c: Context<AppEnv>,
  text: string,
  value: unknown,
  { idempotencyKey, nowMs }: { idempotencyKey: string | null; nowMs: number },
): Promise<ItemAnswer> {
  const item = readEvent(value, text, 0, nowMs, '')
  if (item instanceof RelayError) throw item
  const [outcome] = await commit(c, [{ draft: item, idempotencyKey }])
  if (outcome === undefined) throw new Error('a publish has one outcome per event')
  const answer = answerOf(outcome)
  if (answer.status === 'rejected') throw refusal(outcome)
  return answer
}

/** Publishes several; one that is refused does not sink the others. */
async function publishBulk(
  c: Context<AppEnv>,
  text: string,
  value: { events: unknown[] },
  { idempotencyKey, nowMs }: { idempotencyKey: string | null; nowMs: number },
): Promise<ItemAnswer[]> {
  const starts = elementStarts(text, memberSpans(text, 0).get('events')?.start ?? 0)
  const read = value.events.map((event, i) => readEvent(event, text, starts[i] ?? 0, nowMs, `events[${i}]`))
  const items = read.flatMap((item, i): (Publishable & { i: number })[] =>
    // A slash keeps derived keys apart from all that a caller can choose.
    item instanceof RelayError
      ? []
      : [{ i, draft: item, idempotencyKey: idempotencyKey === null ? null : `${idempotencyKey}/${i}` }],
  )
  const outcomes = items.length === 0 ? [] : await commit(c, items)
  const byPlace = new Map(items.map(({ i }, at) => [i, outcomes[at]]))
  return read.map((item, i) => {
    if (item instanceof RelayError) return rejected(item)
    const outcome = byPlace.get(i)
    if (outcome === undefined) throw new Error('a publish has one outcome per event')
    return answerOf(outcome)
  })
}

function isBulk(value: unknown): value is { events: unknown[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('events' in value))
    return false
  const { events, ...rest } = value as { events: unknown }
  const [unknownName] = Object.keys(rest)
  if (unknownName !== undefined) throw invalidField(unknownName, 'is not a field of a request with "events"')
  if (!Array.isArray(events)) throw invalidField('events', 'must be an array of events')
  if (events.length === 0) throw invalidField('events', 'must hold at least one event')
  if (events.length > EVENTS_PER_REQUEST_MAX) {
    throw invalidField(
      'events',
      `must hold at most ${EVENTS_PER_REQUEST_MAX} events; send the rest in another request`,
    )
  }
  return true
}

function readEvent(value: unknown, text: string, start: number, nowMs: number, path: string) {
  const parsed = publishedEventSchema.safeParse(value)
  if (!parsed.success) return invalidInput(parsed.error, path)
  const spans = memberSpans(text, start)
  const deep = tooDeep(text, spans)
  if (deep !== null) {
    return invalidField(
      path === '' ? deep : `${path}.${deep}`,
      `must be nested at most ${NESTING_DEPTH_MAX} levels deep`,
    )
  }
  const { deliverAt } = parsed.data
  const refusal = deliverAt === undefined ? null : deliverAtRefusal(deliverAt, nowMs)
  if (refusal !== null) return invalidField(path === '' ? 'deliverAt' : `${path}.deliverAt`, refusal)
  return draftEvent(parsed.data, text, spans, new Date(nowMs).toISOString())
}

function keyOf(header: string | undefined): string | null {
  if (header === undefined) return null
  const parsed = callerIdSchema.safeParse(header)
  if (!parsed.success) throw invalidField('Idempotency-Key', 'must be 1-128 characters of A-Z a-z 0-9 _ -')
  return parsed.data
}

/** Commits within the deadline. The work goes on when the client leaves: a publish half done is worse than one unread. */
async function commit(c: Context<AppEnv>, items: readonly Publishable[]): Promise<PublishOutcome[]> {
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  await requireRoom(c.get('relay'), background)
  const work = publish(c.get('relay').publish(background), c.get('workspaceId'), items)
  background(work.catch(() => undefined))
  return await withinMs(COMMIT_DEADLINE_MS, work, storeIsSlow)
}

function storeIsSlow(): RelayError {
  const message =
    'The store did not answer in time, so this publish may or may not have been accepted. Send it again with the same id or Idempotency-Key.'
  return new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}

function answerOf(outcome: PublishOutcome): ItemAnswer {
  switch (outcome.kind) {
    case 'accepted': {
      const { id, matched, warnings } = outcome
      return { id, status: 'accepted', matched, ...(warnings.length > 0 && { warnings }) }
    }
    case 'duplicate':
      return { id: outcome.id, status: 'duplicate', matched: outcome.matched }
    case 'conflict':
    case 'own_id_reserved':
    case 'not_in_catalogue':
    case 'fanout_too_large':
    case 'contended':
      return rejected(refusal(outcome))
  }
}

function rejected({ code, message, details }: RelayError): ItemAnswer {
  return { status: 'rejected', error: { code, message, ...(details && { details }) } }
}

function refusal(outcome: PublishOutcome): RelayError {
  switch (outcome.kind) {
    case 'conflict': {
      const message =
        'was already used for another event; an event is sent again with the same content, or under a new one'
      return new RelayError('conflict', `${outcome.key} ${message}.`, {
        details: [{ path: outcome.key, message }],
      })
    }
    case 'own_id_reserved':
      return invalidField('id', 'has the form of an id this relay generates; leave it out or choose another')
    case 'not_in_catalogue':
      return invalidFields(outcome.details)
    case 'fanout_too_large': {
      const message = `would cause more than ${outcome.pairsMax.toLocaleString('en-US')} deliveries in one request; send fewer events at once`
      return new RelayError('payload_too_large', `events: ${message}`, {
        details: [{ path: 'events', message }],
      })
    }
    case 'contended':
      return new RelayError(
        'unavailable',
        'The subscriptions kept changing; nothing was written. Try again.',
        {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        },
      )
    case 'accepted':
    case 'duplicate':
      throw new Error('an accepted event is no refusal')
  }
}

function accepted(data: unknown, requestId: string): Response {
  return new Response(JSON.stringify({ success: true, data }), {
    status: 202,
    headers: { 'Content-Type': 'application/json; charset=UTF-8', 'X-Request-Id': requestId },
  })
}

const acceptedSchema = z.object({
  id: z.string(),
  status: z.enum(['accepted', 'duplicate']),
  matched: z.int().describe('How many subscriptions the event is delivered to'),
  warnings: z.array(z.string()).optional().describe('What the catalogue of event types says against it'),
})
const rejectedSchema = z.object({
  status: z.literal('rejected'),
  error: errorSchema.shape.error.omit({ requestId: true }),
})

function describe(app: OpenAPIHono<AppEnv>): void {
  const bulkSchema = z.strictObject({
    events: z.array(publishedEventSchema).min(1).max(EVENTS_PER_REQUEST_MAX),
  })
  const answer = z.union([
    acceptedSchema,
    z.object({ events: z.array(z.union([acceptedSchema, rejectedSchema])) }),
  ])
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/api/v1/events',
    summary: 'Publish one event, or several',
    tags: ['Events'],
    security: [{ bearer: [] }],
    request: {
      headers: z.object({ 'Idempotency-Key': callerIdSchema.optional() }),
      body: {
        required: true,
        content: { 'application/json': { schema: z.union([publishedEventSchema, bulkSchema]) } },
      },
    },
    responses: {
      202: {
        description: 'Committed; each event is accepted, a duplicate or rejected',
        content: { 'application/json': { schema: z.object({ success: z.literal(true), data: answer }) } },
      },
      default: { description: 'Refusal', content: { 'application/json': { schema: errorSchema } } },
    },
  })
}
