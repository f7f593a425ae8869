import type { HintSender } from '../hints/hint-sender.ts'
import { deleteBodies } from '../store/bodies.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { failReplay, findReplayByNo, type Replay } from './replays.sql.ts'
import { applyStep } from './steps.sql.ts'
import { type ReplayWindow, readWindow, type WindowJob } from './window.ts'
export type ReplayDeps = { db: D1Database; bodies: R2Bucket; now: () => number }

/** What a step left to do: whether there is another, from when on, and which subscriptions have work since when. */
export type ReplayStepReport = { more: boolean; nextStepAtMs: number; wake: Map<number, number> }

/** Small steps: while one runs, D1 answers nobody else. */
const EXAMINED_PER_STEP = 500
const SECOND_MS = 1000
/** A hint may come a little early; one that comes earlier than this is another hint's double. */
const EARLY_MS = 100

/**
 * Makes the next step of a replay: one D1 transaction that does nothing when the replay is not where it was read. So
 * whoever crashes, comes twice or comes late makes no delivery due a second time. Rejects when D1 or R2 fails; then it is to
 * be called again.
 */
export async function runReplayStep(deps: ReplayDeps, replayNo: number): Promise<ReplayStepReport> {
  const nowMs = deps.now()
  const found = await findReplayByNo(deps.db, replayNo)
  if (found === null) return { more: false, nextStepAtMs: nowMs, wake: new Map() }
  const { replay, subscription } = found
  // Woken whatever comes of this step: an earlier one may have been made by somebody who could not say so.
  const wake = new Map(subscription === null ? [] : [[subscription.no, nowMs]])
  if (replay.state !== 'running') return { more: false, nextStepAtMs: nowMs, wake }
  if (replay.nextStepAtMs > nowMs) {
    const { nextStepAtMs } = replay
    return { more: nextStepAtMs - nowMs <= EARLY_MS, nextStepAtMs, wake }
  }
  const refusal = replay.subscriptionNo === null ? null : refusalOf(subscription)
  if (refusal !== null) {
    await failReplay(deps.db, replayNo, refusal, nowMs)
    return { more: false, nextStepAtMs: nowMs, wake }
  }
  return await step(deps, replay, subscription, wake)
}

function refusalOf(subscription: Subscription | null): string | null {
  if (subscription === null || subscription.deletedAtMs !== null) return 'The webhook was deleted.'
  return subscription.active
    ? null
    : 'The webhook was disabled; enable it and start another replay for the rest.'
}

async function step(
  { db, bodies, now }: ReplayDeps,
  replay: Replay,
  subscription: Subscription | null,
  wake: Map<number, number>,
): Promise<ReplayStepReport> {
  const rate = replay.scope.kind === 'subscription' ? replay.scope.ratePerSecond : null
  const job: WindowJob = { ...replay, replayNo: replay.no, subscription }
  const span = { after: replay.cursor, until: replay.until }
  const limits = { examined: Math.max(EXAMINED_PER_STEP, rate ?? 0), taken: rate ?? EXAMINED_PER_STEP }
  const window = await readWindow({ db, bodies }, job, span, limits)
  const nowMs = now()
  const isSlowed = rate !== null && window.again.length + window.fresh.length > 0
  const nextStepAtMs = isSlowed ? nowMs + SECOND_MS : nowMs
  const result = await applyStep(
    db,
    {
      ...window,
      replayNo: replay.no,
      after: replay.cursor,
      version: subscription?.version ?? null,
      nextStepAtMs,
    },
    nowMs,
  )
  if (!result.applied) {
    // Where the replay stands still, its subscription has changed and is to be matched afresh; else somebody else goes on.
    const more = result.state === 'running' && result.cursor === replay.cursor
    return { more, nextStepAtMs: nowMs, wake }
  }
  // Nothing refers to them any more; the few that a failure leaves behind only take room.
  await deleteBodies(bodies, result.droppedKeys).catch(() => undefined)
  for (const { subscriptionNo } of deliveriesOf(window)) wake.set(subscriptionNo, nowMs)
  return { more: !window.isLast, nextStepAtMs, wake }
}

function deliveriesOf({ again, fresh }: ReplayWindow): { subscriptionNo: number }[] {
  return [...again, ...fresh]
}

/** Steps of one invocation: others wait in the same queue. */
const STEPS_PER_INVOCATION = 10
const INVOCATION_BUDGET_MS = 2_000

export type ConsumeReplayDeps = ReplayDeps & { hints: Pick<HintSender, 'dueAt' | 'replays'> }

/** Answers one hint: makes a few steps, wakes who has work, and hints at the rest. Rejects when D1, R2 or a queue fails. */
export async function consumeReplay(deps: ConsumeReplayDeps, replayNo: number): Promise<void> {
  const startedAtMs = deps.now()
  for (let steps = 1; ; steps++) {
    const { more, nextStepAtMs, wake } = await runReplayStep(deps, replayNo)
    await deps.hints.dueAt(wake)
    if (!more) return
    const nowMs = deps.now()
    const isSpent = steps === STEPS_PER_INVOCATION || nowMs - startedAtMs > INVOCATION_BUDGET_MS
    if (nextStepAtMs > nowMs || isSpent)
      return await deps.hints.replays([replayNo], Math.max(0, Math.ceil((nextStepAtMs - nowMs) / SECOND_MS)))
  }
}
