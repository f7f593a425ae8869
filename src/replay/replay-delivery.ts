import type { HintSender } from '../hints/hint-sender.ts'
import type { LoggedDelivery } from '../history/delivery-log.sql.ts'
import { findEventBySeq } from '../history/event-log.sql.ts'
import { eventIdOf } from '../model/delivery.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { findReplayByNo, type Replay } from './replays.sql.ts'
import { type ReplayDeps, runReplayStep } from './run.ts'
import { type StartDeps, type StartRefusal, startReplay } from './start.ts'

type ReplayDeliveryDeps = ReplayDeps &
  StartDeps & {
    hints: Pick<HintSender, 'dueAt'>
    /** Keeps work alive after the answer. */
    background: (work: Promise<unknown>) => void
  }

/** The reason why one delivery cannot be replayed. */
export type ReplayRefusal =
  | 'subscription_deleted'
  | 'subscription_disabled'
  /** An attempt of the delivery is still to come. */
  | 'outstanding'
  | 'event_gone'
  | 'event_cancelled'
  | 'event_erased'
  | StartRefusal

type DeliveryReplay = { kind: 'replayed'; replay: Replay } | { kind: 'refused'; reason: ReplayRefusal }

/**
 * Makes one delivery due again, past its earlier outcome. The sweeper makes a step that fails here. `boundTo` as in `ReplayRequest`.
 */
export async function replayDelivery(
  deps: ReplayDeliveryDeps,
  delivery: LoggedDelivery,
  { subscription, boundTo }: { subscription: Subscription; boundTo: readonly number[] | null },
): Promise<DeliveryReplay> {
  const refusal = await refusalOf(deps.db, delivery, subscription)
  if (refusal !== null) return { kind: 'refused', reason: refusal }
  const { workspaceNo, no: subscriptionNo } = subscription
  const scope = { kind: 'delivery', seq: delivery.seq, eventId: eventIdOf(delivery) } as const
  const started = await startReplay(deps, { workspaceNo, subscriptionNo, scope, boundTo })
  if (started.kind === 'refused') return started
  const { no } = started.replay
  const { wake } = await runReplayStep(deps, no)
  deps.background(deps.hints.dueAt(wake))
  const found = await findReplayByNo(deps.db, no)
  if (found === null) throw new Error('a replay vanished after its step')
  const { replay } = found
  // The delivery was made due by something else between the look at it and the step.
  if (replay.state === 'completed' && replay.replayed === 0) return { kind: 'refused', reason: 'outstanding' }
  return { kind: 'replayed', replay }
}

async function refusalOf(
  db: D1Database,
  delivery: LoggedDelivery,
  subscription: Subscription,
): Promise<ReplayRefusal | null> {
  if (subscription.deletedAtMs !== null) return 'subscription_deleted'
  if (!subscription.active) return 'subscription_disabled'
  if (delivery.state === 'pending' || delivery.dueAtMs !== null) return 'outstanding'
  const event = await findEventBySeq(db, subscription.workspaceId, delivery.seq)
  if (event === null) return 'event_gone'
  if (event.cancelledAtMs !== null) return 'event_cancelled'
  return event.erasedAtMs === null ? null : 'event_erased'
}
