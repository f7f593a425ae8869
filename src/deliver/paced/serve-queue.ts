import { TaskGroup } from '../../base/concurrency/task-group.ts'
import { describeError } from '../../base/log.ts'
import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { PacedHint } from '../../hints/hint.ts'
import type { Invocation } from '../claim-run.ts'
import type { PacedDeps, PacedEntry, PacedWork } from './deps.ts'
import { serveLimited } from './serve-limited.ts'
import { LOOK_AGAIN_SECONDS } from './turn-limit.ts'

/** Subscriptions served side by side. */
const SUBSCRIPTIONS_IN_FLIGHT = 20
/** An invocation takes on no new work after this time: long ones would keep the platform from adding consumers. */
const WORK_BUDGET_MS = 15_000

/**
 * Serves paced subscriptions: one after the other turns of each, all of them side by side. A hint whose subscriptions
 * could not be served is not done; what its receivers do does not matter for that.
 */
export async function servePacedQueue(
  deps: PacedDeps,
  hints: readonly PacedHint[],
  invocation: Invocation,
  report: ConsumeReport,
): Promise<void> {
  const untilMs = deps.now() + WORK_BUDGET_MS
  // All receivers share this queue: what hangs is to leave room.
  for (const slots of [invocation.slots, invocation.largeSlots]) slots.keepHalfForProven()
  const crew = new TaskGroup(deps.background)
  const failed = new Set<number>()
  try {
    for (const entry of mergeEntries(hints)) {
      const holds = { bytes: 0 }
      const turn = takeTurn(deps, entry, { untilMs, invocation, report, holds }).catch(
        async (error: unknown) => {
          failed.add(entry.no)
          report.unsettled++
          report.unsettledError ??= describeError(error)
          // Its hint may have been acknowledged while it was in the background. If this fails too, the sweeper finds the rest.
          await deps.hints.paced([{ no: entry.no }], LOOK_AGAIN_SECONDS).catch(() => undefined)
        },
      )
      crew.start(turn, () => holds.bytes)
      await crew.untilBelow(SUBSCRIPTIONS_IN_FLIGHT)
    }
  } finally {
    await crew.join()
  }
  for (const [i, hint] of hints.entries()) {
    report.done[i] = hint.subscriptions.every(({ no }) => !failed.has(no))
  }
}

/** Serves a subscription, or where others do so already has somebody look later what they have left. */
async function takeTurn(
  deps: PacedDeps,
  entry: PacedEntry,
  shared: Omit<PacedWork, 'handle'>,
): Promise<void> {
  const nowMs = deps.now()
  const handle = deps.turns.acquire(entry.no, deps.work.inFlight.isSlow(entry.no, nowMs))
  if (handle === null) {
    if (deps.turns.needsLook(entry.no, nowMs)) await deps.hints.paced([{ no: entry.no }], LOOK_AGAIN_SECONDS)
    return
  }
  try {
    await serveLimited(deps, entry, { ...shared, handle })
  } finally {
    handle.release()
  }
}

/** One entry per subscription: counts add up, and one look is as good as many. */
export function mergeEntries(hints: readonly PacedHint[]): PacedEntry[] {
  const entries = new Map<number, PacedEntry>()
  for (const { no, ordered, alarm, events = 0, bytes = 0, sinceMs = 0 } of hints.flatMap(
    (hint) => hint.subscriptions,
  )) {
    const entry = entries.get(no) ?? { no, isOrdered: false, isLook: false, noted: null }
    entries.set(no, entry)
    entry.isOrdered ||= ordered === true
    if (events > 0) {
      const { noted } = entry
      entry.noted = {
        events: events + (noted?.events ?? 0),
        bytes: bytes + (noted?.bytes ?? 0),
        sinceMs: Math.min(sinceMs, noted?.sinceMs ?? sinceMs),
      }
    } else entry.isLook ||= alarm !== true
  }
  return [...entries.values()]
}
