import type { LoggedEvent } from '../../../history/event-log.sql.ts'
import { invalidFields } from '../../../model/errors.ts'
import { findNamed, type NamedSubscription } from '../../../replay/replays.sql.ts'
import { hintReplay, startReplay } from '../../../replay/start.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import { listSubscriptions } from '../../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyEvent } from '../../find.ts'
import { replayAnswer, replayAnswerSchema, replayConflict, startedOrRefused } from './replay-answer.ts'
import { NAMED_WEBHOOKS_MAX, replayEventSchema, WEBHOOKS_HINT } from './replay-request.ts'

/**
 * `POST /events/{id}/replay`: makes the deliveries of one event due again in
 * the background, all or some by name. 409 for an event that was cancelled
 * or erased, and for a webhook by name that is deleted or disabled.
 */
export const replayEvent = defineRoute(
  {
    method: 'post',
    path: '/events/{id}/replay',
    operationId: 'replayEvent',
    summary: 'Replay an event',
    tag: 'Replays',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    body: replayEventSchema,
    bodyOptional: true,
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id, body }) => {
    const event = await findAnyEvent(deps, workspaceId, id)
    if (event.cancelledAtMs !== null) throw replayConflict('The event was cancelled. Publish it again.')
    if (event.erasedAtMs !== null)
      throw replayConflict(
        'The content of the event was erased. Publish it anew, under another id: this one stays taken.',
      )
    const own = await boundSubscriptionNos(deps.db, workspaceId, deps.reach.binding)
    const asked = body.webhooks
    const webhooks =
      asked === undefined ? await ownOwed(deps, workspaceId, event) : await named(deps, event, { asked, own })
    const { workspaceNo, seq } = event
    const scope = { kind: 'event', seq, eventId: id, webhooks } as const
    const asking = { workspaceNo, subscriptionNo: null, scope, boundTo: own }
    const replay = startedOrRefused(await startReplay(deps, asking))
    deps.background(hintReplay(deps.hints, deps.log, replay.no))
    return { data: replayAnswer(replay) }
  },
)

/** The webhooks of a caller who is bound, of those that the event was owed to; null for all that it was owed to. */
async function ownOwed(
  { db, reach }: ApiDeps,
  workspaceId: string,
  event: LoggedEvent,
): Promise<NamedWebhook[] | null> {
  const { binding } = reach
  if (binding === null) return null
  const found = await listSubscriptions(db, workspaceId, {
    ...{ belowNo: Number.MAX_SAFE_INTEGER, limit: NAMED_WEBHOOKS_MAX + 1, withDeleted: false, binding },
    owed: { seq: event.seq, fanoutNos: event.fanout.map(Math.abs), isOwed: true },
  })
  const open = found.filter(({ active }) => active)
  if (open.length === 0) throw replayConflict('No webhook of yours that the event was owed to is enabled.')
  if (open.length > NAMED_WEBHOOKS_MAX) throw invalidFields([{ path: 'webhooks', message: WEBHOOKS_HINT }])
  return open.map(({ id, no }) => ({ id, no }))
}

type NamedWebhook = { id: string; no: number }

/** The webhooks a request names, each of which must be one that the event was owed to. */
async function named(
  { db }: ApiDeps,
  event: LoggedEvent,
  { asked, own }: { asked: readonly string[]; own: readonly number[] | null },
): Promise<NamedWebhook[]> {
  const existing = await findNamed(db, event, asked)
  const visible = existing.filter(({ no }) => own === null || own.includes(no))
  const found = new Map(visible.map((each) => [each.id, each]))
  const problems = asked.flatMap((id, i) => {
    const message = problemOf(event, found.get(id))
    return message === null ? [] : [{ path: `webhooks[${i}]`, message }]
  })
  if (problems.length > 0) throw invalidFields(problems)
  const closed = [...found.values()].find(({ isOpen }) => !isOpen)
  if (closed !== undefined) {
    throw replayConflict(
      `The webhook ${closed.id} is disabled or has been deleted. Enable it first, or leave it out.`,
    )
  }
  return [...found.values()].map(({ id, no }) => ({ id, no }))
}

function problemOf({ fanout }: LoggedEvent, webhook: NamedSubscription | undefined): string | null {
  if (webhook === undefined) return 'must be the id of a webhook of this workspace'
  const { no, hasRow } = webhook
  return hasRow || fanout.includes(no) || fanout.includes(-no)
    ? null
    : 'must be a webhook that the event was owed to; POST /webhooks/{id}/replay with "backfill": true sends past events to others'
}
