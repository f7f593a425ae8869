import { inTurn } from '../base/concurrency/in-turn.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import { deleteBodies } from '../store/bodies.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { failReplay, findReplayByNo, type Replay } from './replays.sql.ts'
import { applyStep } from './steps.sql.ts'
import { readWindow, type WindowDeps } from './window.ts'

export type ReplayDeps = WindowDeps & { now: () => number }

/**
 * The work that a step left: another step from a time on, and subscriptions with due deliveries.
 */
type ReplayStepReport = { more: boolean; nextStepAtMs: number; wake: Map<number, number> }

/** Candidates of one step; while it runs, D1 answers nothing else. */
const EXAMINED_PER_STEP = 500
const SECOND_MS = 1000
/** A hint may come this much early; one that comes earlier is another hint's double. */
const EARLY_MS = 100
/** Bounds of one invocation: others wait in the same queue. */
const STEPS_PER_INVOCATION = 10
const INVOCATION_BUDGET_MS = 2_000

type ConsumeReplayDeps = ReplayDeps & { hints: Pick<HintSender, 'dueAt' | 'replays'> }

/**
 * Answers one hint: makes a few steps and hints at the next. Rejects when D1, R2 or a queue fails.
 */
export async function consumeReplay(deps: ConsumeReplayDeps, replayNo: number): Promise<void> {
  const startedAtMs = deps.now()
  for (let steps = 1; ; steps++) {
    const { more, nextStepAtMs, wake } = await inTurn(deps.now, () => runReplayStep(deps, replayNo))
    await deps.hints.dueAt(wake)
    if (!more) return
    const nowMs = deps.now()
    const isSpent = steps === STEPS_PER_INVOCATION || nowMs - startedAtMs > INVOCATION_BUDGET_MS
    if (nextStepAtMs <= nowMs && !isSpent) continue
    const delaySeconds = Math.max(0, Math.ceil((nextStepAtMs - nowMs) / SECOND_MS))
    return await deps.hints.replays([replayNo], delaySeconds)
  }
}

/**
 * Makes the next step in a transaction that does nothing if the replay is not where it was read: a
 * crash or a double makes no delivery due twice. Rejects when D1 or R2 fails; then it is called
 * again.
 */
export async function runReplayStep(deps: ReplayDeps, replayNo: number): Promise<ReplayStepReport> {
  const nowMs = deps.now()
  const found = await findReplayByNo(deps.db, replayNo)
  if (found === null) return { more: false, nextStepAtMs: nowMs, wake: new Map() }
  const { replay, subscription } = found
  // The subscription is woken in any case: an earlier step may have ended before it could say so.
  const wake = new Map(subscription === null ? [] : [[subscription.no, nowMs]])
  if (replay.state !== 'running') return { more: false, nextStepAtMs: nowMs, wake }
  if (replay.nextStepAtMs > nowMs) {
    const { nextStepAtMs } = replay
    return { more: nextStepAtMs - nowMs <= EARLY_MS, nextStepAtMs, wake }
  }
  const error = replay.subscriptionNo === null ? null : errorOf(subscription)
  if (error !== null) {
    await failReplay(deps.db, replayNo, { error, nowMs })
    return { more: false, nextStepAtMs: nowMs, wake }
  }
  const { more, nextStepAtMs, dueNos } = await makeStep(deps, replay, subscription)
  return { more, nextStepAtMs, wake: new Map([...wake, ...dueNos.map((no) => [no, nowMs] as const)]) }
}

function errorOf(subscription: Subscription | null): string | null {
  if (subscription === null || subscription.deletedAtMs !== null) return 'The webhook was deleted.'
  return subscription.active
    ? null
    : 'The webhook was disabled; enable it and start another replay for the rest.'
}

/** The end of one step; `dueNos` are subscriptions with deliveries that it made due. */
type StepEnd = { more: boolean; nextStepAtMs: number; dueNos: number[] }

async function makeStep(
  { db, bodies, now }: ReplayDeps,
  replay: Replay,
  subscription: Subscription | null,
): Promise<StepEnd> {
  const { no: replayNo, cursor: after, until, scope } = replay
  const rate = scope.kind === 'subscription' ? scope.ratePerSecond : null
  const limits = { examinedMax: Math.max(EXAMINED_PER_STEP, rate ?? 0), takenMax: rate ?? EXAMINED_PER_STEP }
  const job = { ...replay, replayNo, subscription }
  const window = await readWindow({ db, bodies }, job, { after, until, ...limits })
  const nowMs = now()
  const dueNos = [...window.again, ...window.fresh].map(({ subscriptionNo }) => subscriptionNo)
  const nextStepAtMs = rate !== null && dueNos.length > 0 ? nowMs + SECOND_MS : nowMs
  const step = { ...window, replayNo, after, version: subscription?.version ?? null, nextStepAtMs }
  const { applied, state, cursor, droppedKeys } = await applyStep(db, step, nowMs)
  if (!applied) {
    // A replay that stands still is matched afresh, since its subscription has changed; one that
    // has moved on is in the hands of another call.
    return { more: state === 'running' && cursor === after, nextStepAtMs: nowMs, dueNos: [] }
  }
  // No row names them any more; the few that a failure leaves behind only take room.
  await deleteBodies(bodies, droppedKeys).catch(() => undefined)
  return { more: !window.isLast, nextStepAtMs, dueNos }
}
