import { TaskGroup } from '../../base/concurrency/task-group.ts'
import { describeError } from '../../base/log.ts'
import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { PacedHint } from '../../hints/hint.ts'
import { addWaiting } from '../../pacing/pacer/state.ts'
import type { Invocation } from '../claim-run.ts'
import type { PacedDeps, PacedEntry, PacedWork } from './deps.ts'
import { LimitedServing } from './serve-limited.ts'
import { serveOrdered } from './serve-ordered.ts'
import { LOOK_AGAIN_SECONDS } from './turn-limit.ts'

/** Subscriptions served side by side. */
const SUBSCRIPTIONS_IN_FLIGHT = 20
/** No work begins after this time: long invocations keep the platform from adding consumers. */
const WORK_BUDGET_MS = 15_000

/** One run over hints of paced subscriptions. */
export type PacedRun = { invocation: Invocation; report: ConsumeReport }

/**
 * Serves paced subscriptions side by side. A hint is done when all its subscriptions were served,
 * regardless of their receivers' answers.
 */
export async function servePacedQueue(
  deps: PacedDeps,
  hints: readonly PacedHint[],
  { invocation, report }: PacedRun,
): Promise<void> {
  const untilMs = deps.now() + WORK_BUDGET_MS
  // All receivers share this queue: those that hang have to leave room for the others.
  for (const slots of [invocation.slots, invocation.largeSlots]) slots.keepHalfForProven()
  const tasks = new TaskGroup(deps.background)
  const failed = new Set<number>()
  try {
    for (const entry of mergeEntries(hints)) {
      const holds = { bytes: 0 }
      const serving = takeTurn(deps, entry, { untilMs, invocation, report, holds }).catch(
        async (error: unknown) => {
          failed.add(entry.no)
          await reportFailure(deps, report, { no: entry.no, error })
        },
      )
      tasks.start(serving, () => holds.bytes)
      await tasks.untilBelow(SUBSCRIPTIONS_IN_FLIGHT)
    }
  } finally {
    await tasks.join()
  }
  for (const [i, hint] of hints.entries()) {
    report.done[i] = hint.subscriptions.every(({ no }) => !failed.has(no))
  }
}

async function reportFailure(
  deps: PacedDeps,
  report: ConsumeReport,
  { no, error }: { no: number; error: unknown },
): Promise<void> {
  report.unsettled++
  report.unsettledError ??= describeError(error)
  // The hint may have been acknowledged meanwhile. If this one fails as well, the sweeper finds the
  // rest.
  await deps.hints.paced([{ no }], LOOK_AGAIN_SECONDS).catch(() => undefined)
}

/** Serves a subscription for one turn; if it has enough turns, arranges a look at what they leave. */
async function takeTurn(deps: PacedDeps, entry: PacedEntry, shared: Omit<PacedWork, 'turn'>): Promise<void> {
  const nowMs = deps.now()
  const isHanging = deps.work.inFlight.isSlow(entry.no, nowMs)
  const turn = deps.turns.acquire(entry.no, { isHanging })
  if (turn === null) {
    if (deps.turns.needsLook(entry.no, nowMs)) await deps.hints.paced([{ no: entry.no }], LOOK_AGAIN_SECONDS)
    return
  }
  try {
    await serveByLevel(deps, entry, { ...shared, turn })
  } finally {
    turn.release()
  }
}

/**
 * Decides which of the two ways serves a subscription. A hint says that one is ordered; otherwise it is
 * taken as limited, until D1 or its pacer says that it is not.
 */
async function serveByLevel(deps: PacedDeps, entry: PacedEntry, work: PacedWork): Promise<void> {
  const { no } = entry
  if (entry.isOrdered) return await serveOrdered(deps, no, work)
  const limited = new LimitedServing(deps, no, work)
  try {
    let served = await limited.serve(entry)
    while (served.kind === 'not-limited') {
      await serveOrdered(deps, no, work)
      served = await limited.useGrants(served.reply)
    }
  } finally {
    await limited.join()
  }
}

/** Merges hints into one entry per subscription: counts add up, and one look is enough. */
export function mergeEntries(hints: readonly PacedHint[]): PacedEntry[] {
  const entries = new Map<number, PacedEntry>()
  for (const { no, ordered, alarm, events = 0, bytes = 0, sinceMs = 0 } of hints.flatMap(
    (hint) => hint.subscriptions,
  )) {
    const entry = entries.get(no) ?? { no, isOrdered: false, isLook: false, arrived: null }
    entries.set(no, entry)
    entry.isOrdered ||= ordered === true
    if (events > 0) {
      entry.arrived = addWaiting(entry.arrived, { events, bytes, sinceMs })
    } else entry.isLook ||= alarm !== true
  }
  return [...entries.values()]
}
