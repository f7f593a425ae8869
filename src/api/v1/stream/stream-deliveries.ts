import * as z from 'zod'
import { DELIVERY_STATES, type DeliveryState } from '../../../model/delivery.ts'
import { RelayError } from '../../../model/errors.ts'
import { eventPatternSchema } from '../../../model/event-type.ts'
import type { StreamFilter } from '../../../stream/filter.ts'
import { markListened } from '../../../stream/listened.sql.ts'
import { shownMessageSchema } from '../../../stream/message.ts'
import { TELL_MS } from '../../../stream/terms.ts'
import { ensureWorkspace } from '../../../workspace/workspaces.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { watchedStream } from './watched-stream.ts'

const EVENT_STREAM = 'text/event-stream'
/** Streams end after some minutes, and leave a place. */
const RETRY_AFTER_SECONDS = 30

const STATUS_HINT = 'must be success, failed or skipped, or several of these joined by commas'

const querySchema = z.strictObject({
  webhook: z.string().optional().describe('A subscription, by id or uid'),
  event: eventPatternSchema.optional(),
  status: z
    .string()
    .refine((text) => text.split(',').every(isState), STATUS_HINT)
    .transform((text) => text.split(',').filter(isState))
    .optional(),
  lastEventId: z.string().max(200).optional().describe('The same as the header `Last-Event-ID`'),
})

const headersSchema = z.object({
  'Last-Event-ID': z.string().max(200).optional().describe('The `id` of the last event that was seen'),
})

function isState(text: string): text is DeliveryState {
  return (DELIVERY_STATES as readonly string[]).includes(text)
}

/** `GET /stream`: deliveries and attempts as they happen, as server-sent events. */
export const streamDeliveries = defineRoute(
  {
    method: 'get',
    path: '/stream',
    operationId: 'streamDeliveries',
    summary: 'Deliveries and attempts as they happen, as server-sent events',
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    query: querySchema,
    headers: headersSchema,
    answer: shownMessageSchema,
    answerType: EVENT_STREAM,
    answerDescription:
      'Events `attempt` and `delivery`, whose data is such an object; `ready`, `gap` and `end`',
  },
  async ({ deps, workspaceId, query, headers }) => {
    const filter = await filterOf(deps, workspaceId, query)
    const lastEventId = headers['Last-Event-ID'] ?? query.lastEventId ?? null
    const body = await openStream(deps, workspaceId, { filter, lastEventId })
    return new Response(body, {
      headers: { 'Content-Type': EVENT_STREAM, 'Cache-Control': 'no-cache, no-transform' },
    })
  },
)

async function filterOf(
  deps: ApiDeps,
  workspaceId: string,
  { webhook, event, status }: z.infer<typeof querySchema>,
): Promise<StreamFilter> {
  const subscription = webhook === undefined ? null : await findLiveSubscription(deps, workspaceId, webhook)
  return {
    webhookId: subscription?.id ?? null,
    statuses: status ?? null,
    event: event ?? null,
    metadata: deps.reach.binding?.metadata ?? null,
  }
}

async function openStream(
  deps: ApiDeps,
  workspaceId: string,
  wanted: { filter: StreamFilter; lastEventId: string | null },
): Promise<ReadableStream<Uint8Array>> {
  const { streams, now, background } = deps
  const id = deps.newKey()
  if (!streams.open.add(id, now())) throw tooMany('this part of the relay')
  const onOver = () => streams.open.remove(id)
  try {
    const mark = () => markListened(deps.db, workspaceId, { nowMs: now(), forMs: TELL_MS })
    await ensureWorkspace(deps.db, workspaceId, now())
    await mark()
    const body = await streams.hubs.listen(workspaceId, { id, ...wanted })
    if (body === null) throw tooMany('this workspace')
    const mayGoOn = async () => (await deps.isStillAllowed()) && (await marked(mark))
    const end = (reason: 'lifetime' | 'credential') => streams.hubs.end(workspaceId, id, reason)
    return watchedStream(body, { now, mayGoOn, end, onOver, background })
  } catch (error) {
    onOver()
    throw error
  }
}

/** A store that is busy ends no stream: the mark is moved on at the next look. */
async function marked(mark: () => Promise<void>): Promise<true> {
  return await mark().then(
    () => true,
    () => true,
  )
}

function tooMany(where: string): RelayError {
  const message = `As many streams as may be are open in ${where}. Close one, or come back.`
  return new RelayError('rate_limited', message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
