import { seqRange } from '../base/ids/seq.ts'
import { describeError, type Log } from '../base/log.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import type { ReplayScope } from './replay.ts'
import { newestSeq, newestSubscriptionNo, type Replay, type ReplaySpan } from './replays.sql.ts'
import { insertReplay } from './start.sql.ts'

export type StartDeps = {
  db: D1Database
  now: () => number
  /** A key that nothing else has. */
  newKey: () => string
}

/** Replays of one workspace that may be running at the same time. */
export const RUNNING_REPLAYS_MAX = 20

/** Those of them that may be of the subscriptions which one caller is bound to. */
export const BOUND_RUNNING_REPLAYS_MAX = 2

/** A replay to start; `boundTo` are the subscriptions that its caller is bound to, null for a caller who is not. */
export type ReplayRequest = {
  workspaceNo: number
  subscriptionNo: number | null
  scope: ReplayScope
  boundTo: readonly number[] | null
}

/** The reason why a replay cannot start now: too many of the workspace are running, or of the caller's subscriptions. */
export type StartRefusal = 'too_many_running' | 'too_many_of_caller'

export type Started = { kind: 'started'; replay: Replay } | { kind: 'refused'; reason: StartRefusal }

/**
 * Writes a replay that is due for its first step, unless too many are running. Its walk ends with the newest event of
 * now, so that it ends.
 */
export async function startReplay(
  { db, now, newKey }: StartDeps,
  { boundTo, ...replay }: ReplayRequest,
): Promise<Started> {
  const span = await spanOf(db, replay.workspaceNo, replay.scope)
  const id = `replay_${newKey().replaceAll('-', '')}`
  const runningMax = { ofWorkspace: RUNNING_REPLAYS_MAX, ofCaller: BOUND_RUNNING_REPLAYS_MAX, boundTo }
  const written = await insertReplay(db, { id, ...replay, span, createdAtMs: now() }, runningMax)
  return written.replay === null
    ? { kind: 'refused', reason: written.isFullOfCaller ? 'too_many_of_caller' : 'too_many_running' }
    : { kind: 'started', replay: written.replay }
}

/** Sends a replay's first hint. A failure is logged only: the sweeper finds the replay. */
export async function hintReplay(
  hints: Pick<HintSender, 'replays'>,
  log: Log,
  replayNo: number,
): Promise<void> {
  try {
    await hints.replays([replayNo])
  } catch (error) {
    log('hint.failed', { hints: 1, error: describeError(error) })
  }
}

/** The stretch of a replay's walk: events by number, or subscriptions where it is of one event. */
export async function spanOf(db: D1Database, workspaceNo: number, scope: ReplayScope): Promise<ReplaySpan> {
  switch (scope.kind) {
    case 'subscription': {
      const { min, max } = seqRange(scope.acceptedFromMs, scope.acceptedToMs)
      return { after: Math.max(0, min - 1), until: Math.min(max, await newestSeq(db, workspaceNo)) }
    }
    case 'event':
      return { after: 0, until: await newestSubscriptionNo(db, workspaceNo) }
    case 'delivery':
      return { after: scope.seq - 1, until: scope.seq }
  }
}
