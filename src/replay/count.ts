import type { Subscription } from '../subscription/subscription.ts'
import type { ReplayScope } from './replay.ts'
import type { ReplayDeps } from './run.ts'
import { spanOf } from './start.ts'
import { readWindow, type WindowJob } from './window.ts'

/** Counts what a replay of a subscription would make due now; `isMinimum` when there was too much to look at all of it. */
export async function countReplay(
  { db, bodies }: ReplayDeps,
  subscription: Subscription,
  scope: ReplayScope,
): Promise<{ count: number; isMinimum: boolean }> {
  const { workspaceNo } = subscription
  const job: WindowJob = { replayNo: null, workspaceNo, scope, subscription }
  let { after, until } = await spanOf(db, workspaceNo, scope)
  let [count, examined, contentChars] = [0, 0, 0]
  for (let windows = 0; windows < DRY_RUN_WINDOWS_MAX; windows++) {
    if (examined >= DRY_RUN_EXAMINED_MAX || contentChars >= DRY_RUN_CONTENT_CHARS_MAX) break
    const limits = { examined: DRY_RUN_WINDOW, taken: DRY_RUN_WINDOW }
    const window = await readWindow({ db, bodies }, job, { after, until }, limits)
    count += window.again.length + window.fresh.length
    if (window.isLast) return { count, isMinimum: false }
    examined += window.examined
    contentChars += window.contentChars
    after = window.reached
  }
  return { count, isMinimum: true }
}

/** A dry run looks at so many candidates, and so much content, before it answers with what it has counted. */
export const DRY_RUN_EXAMINED_MAX = 100_000

export const DRY_RUN_CONTENT_CHARS_MAX = 40_000_000

export const DRY_RUN_WINDOW = 2_000

/** Each is a few of the thousand queries that D1 allows an invocation. */
export const DRY_RUN_WINDOWS_MAX = 200
