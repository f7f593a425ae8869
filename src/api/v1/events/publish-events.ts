import * as z from 'zod'
import { withinMs } from '../../../base/concurrency/wait.ts'
import { Yielder } from '../../../base/concurrency/yielder.ts'
import { elementStarts, memberSpans } from '../../../base/json/members.ts'
import { isRecord } from '../../../base/json/value.ts'
import { invalidField, invalidFields, type Problem, RelayError } from '../../../model/errors.ts'
import {
  callerIdSchema,
  type DraftEvent,
  EVENTS_PER_REQUEST_MAX,
  publishedEventSchema,
  REQUEST_BYTES_MAX,
} from '../../../model/event.ts'
import type { Publishable, PublishOutcome } from '../../../publish/prepared-event.ts'
import { publish } from '../../../publish/publish.ts'
import { type JsonBody, restAfter } from '../../body/body.ts'
import { accessError } from '../../caller/auth.ts'
import { requireCapacity } from '../../capacity-guard.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute, type RouteInput } from '../../define-route.ts'
import { errorSchema } from '../../error-response.ts'
import { limitReached, payloadAboveLimit } from '../../limits/limit-refusals.ts'
import { readEvent } from './read-event.ts'

/** A publish that is not committed by then is answered 503; it may still be committed. */
const COMMIT_DEADLINE_MS = 10_000
const RETRY_AFTER_SECONDS = 2
/** Steps of a turn that reading a character of an event takes. */
const STEPS_PER_CHAR = 1

const acceptedEventShape = {
  id: z.string(),
  status: z.enum(['accepted', 'duplicate']),
  matched: z.int().describe('How many subscriptions the event is delivered to'),
  warnings: z
    .array(z.string())
    .optional()
    .describe('What the catalogue says against it, and if its rules were too complex for some subscriptions'),
}

const acceptedSchema = z.object(acceptedEventShape).meta({ id: 'AcceptedEvent' })
const rejectedEventShape = {
  status: z.literal('rejected'),
  error: errorSchema.shape.error.omit({ requestId: true }),
}

const rejectedSchema = z.object(rejectedEventShape).meta({ id: 'RejectedEvent' })
const bulkSchema = z.strictObject({
  events: z.array(publishedEventSchema).min(1).max(EVENTS_PER_REQUEST_MAX),
})

/**
 * `POST /events`: one event, or `{"events": […]}` with 1-1,000 of them, 10 MiB together. Answers 202
 * only after the commit; of several, each is accepted, a duplicate or rejected on its own.
 */
export const publishEvents = defineRoute(
  {
    method: 'post',
    path: '/events',
    operationId: 'publishEvents',
    summary: 'Publish one event, or several',
    tag: 'Events',
    scope: 'events:publish',
    forBound: 'refused',
    audit: { none: 'an event is no change of what is configured, and is kept itself' },
    isJudgedAtCommit: true,
    refusals: ['conflict'],
    status: 202,
    headers: z.object({ 'Idempotency-Key': callerIdSchema.optional() }),
    sentBody: z.union([publishedEventSchema, bulkSchema]),
    bodyBytesMax: REQUEST_BYTES_MAX,
    idempotency: 'own',
    answer: z.union([
      acceptedSchema,
      z.object({ events: z.array(z.union([acceptedSchema, rejectedSchema])) }),
    ]),
    answerDescription: 'Committed; each event is accepted, a duplicate or rejected',
  },
  async ({ deps, workspaceId, headers, sent, hold }) => {
    const call = { deps, workspaceId, hold, idempotencyKey: headers['Idempotency-Key'] ?? null }
    const startedAtMs = deps.now()
    const events = eventsOf(sent.value)
    const answers =
      events === null ? [await publishOne(call, sent)] : await publishSeveral(call, sent.text, events)
    deps.logReceived({ workspace: workspaceId, bytes: sent.bytes, startedAtMs }, answers)
    const data = events === null ? answers[0] : { events: answers }
    return Response.json(
      { success: true, data },
      { status: 202, headers: { 'Content-Type': 'application/json; charset=UTF-8' } },
    )
  },
)

type PublishCall = {
  deps: ApiDeps
  workspaceId: string
  hold: RouteInput<object>['hold']
  idempotencyKey: string | null
}

type Rejected = {
  status: 'rejected'
  error: { code: string; message: string; details?: Problem[] }
}
type ItemAnswer = z.infer<typeof acceptedSchema> | Rejected

/** The events of a request that publishes several; null for a request that is an event itself. */
function eventsOf(value: unknown): unknown[] | null {
  if (!isRecord(value) || !('events' in value)) return null
  const { events, ...rest } = value
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
  return events
}

async function publishOne(call: PublishCall, { value, text }: JsonBody): Promise<ItemAnswer> {
  const draft = await readEvent({ value, text, start: 0, path: '' }, call.deps.now())
  if (draft instanceof RelayError) throw draft
  await restAfter(text)
  const [outcome] = await commit(call, [{ draft, idempotencyKey: call.idempotencyKey }])
  if (outcome === undefined) throw new Error('a publish has one outcome per event')
  const answer = answerOf(outcome)
  if (answer instanceof RelayError) throw answer
  return answer
}

/** Publishes several events; one that is refused does not sink the others. */
async function publishSeveral(
  call: PublishCall,
  text: string,
  events: readonly unknown[],
): Promise<ItemAnswer[]> {
  const { idempotencyKey } = call
  const read = await readSeveral(text, events, call.deps.now())
  const items = read.flatMap((draft, i): Publishable[] =>
    draft instanceof RelayError ? [] : [{ draft, idempotencyKey, place: i }],
  )
  await restAfter(text)
  const outcomes = (items.length === 0 ? [] : await commit(call, items)).values()
  return read.map((draft) => {
    const answer = draft instanceof RelayError ? draft : answerOf(nextOutcome(outcomes))
    return answer instanceof RelayError ? rejected(answer) : answer
  })
}

/** Reads the events of one request, and lets others have their turn between them where they are long. */
async function readSeveral(
  text: string,
  events: readonly unknown[],
  nowMs: number,
): Promise<(DraftEvent | RelayError)[]> {
  const list = memberSpans(text, 0).get('events')
  await restAfter(text)
  const starts = elementStarts(text, list?.start ?? 0)
  await restAfter(text)
  const read: (DraftEvent | RelayError)[] = []
  const yielder = new Yielder()
  for (const [i, value] of events.entries()) {
    const start = starts[i] ?? 0
    read.push(await readEvent({ value, text, start, path: `events[${i}]` }, nowMs))
    await yielder.after(STEPS_PER_CHAR * ((starts[i + 1] ?? text.length) - start))
  }
  return read
}

function nextOutcome(outcomes: Iterator<PublishOutcome>): PublishOutcome {
  const next = outcomes.next()
  if (next.done === true) throw new Error('a publish has one outcome per event')
  return next.value
}

/**
 * Commits within the deadline. The work goes on when the client leaves, since a publish half done is
 * worse than one whose answer is not read.
 */
async function commit(
  { deps, workspaceId, hold }: PublishCall,
  items: readonly Publishable[],
): Promise<PublishOutcome[]> {
  await requireCapacity(deps)
  const work = publish(deps.publish, workspaceId, items)
  deps.background(work.catch(() => undefined))
  hold.keepFor(work)
  return await withinMs(COMMIT_DEADLINE_MS, work, storeIsSlow)
}

function storeIsSlow(): never {
  const message =
    'The store did not answer in time, so this publish may or may not have been accepted. Send it again with the same id or Idempotency-Key.'
  throw new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}

function rejected({ code, message, details }: RelayError): Rejected {
  return { status: 'rejected', error: { code, message, ...(details && { details }) } }
}

function answerOf(outcome: PublishOutcome): z.infer<typeof acceptedSchema> | RelayError {
  switch (outcome.kind) {
    case 'accepted': {
      const { id, matched, warnings } = outcome
      return { id, status: 'accepted', matched, ...(warnings.length > 0 && { warnings }) }
    }
    case 'duplicate':
      return { id: outcome.id, status: 'duplicate', matched: outcome.matched }
    case 'conflict': {
      const { key: path } = outcome
      const message =
        'was already used for another event; an event is sent again with the same content, or under a new one'
      return new RelayError('conflict', `${path} ${message}.`, { details: [{ path, message }] })
    }
    case 'own_id_reserved':
      return invalidField('id', 'has the form of an id this relay generates; leave it out or choose another')
    case 'rate_limited':
      return limitReached(outcome.reached)
    case 'payload_above_limit':
      return payloadAboveLimit(outcome.bytesMax)
    case 'not_in_catalogue':
      return invalidFields(outcome.details)
    case 'fanout_too_large': {
      const message = `would cause more than ${outcome.pairsMax.toLocaleString('en-US')} deliveries in one request; send fewer events at once`
      const details = [{ path: 'events', message }]
      return new RelayError('payload_too_large', `events: ${message}`, { details })
    }
    case 'refused':
      throw accessError(outcome.refusal)
    case 'contended': {
      const message = 'The subscriptions kept changing; nothing was written. Try again.'
      throw new RelayError('unavailable', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
  }
}
