import type { Subscription } from '../subscription/subscription.ts'
import type { ReplayScope } from './replay.ts'
import type { ReplayDeps } from './run.ts'
import { spanOf } from './start.ts'
import { readWindow, type WindowJob } from './window.ts'

/** Candidates, and characters of content, that a dry run looks at before it answers. */
const EXAMINED_MAX = 100_000
const CONTENT_CHARS_MAX = 40_000_000
const EXAMINED_PER_WINDOW = 2_000
/** Windows of a dry run, each a few of the thousand queries that D1 allows an invocation. */
const WINDOWS_MAX = 200

/** Counts the deliveries that a replay would make due now; a minimum where there are too many. */
export async function countReplay(
  { db, bodies }: Pick<ReplayDeps, 'db' | 'bodies'>,
  subscription: Subscription,
  scope: ReplayScope,
): Promise<{ count: number; isMinimum: boolean }> {
  const { workspaceNo } = subscription
  const job: WindowJob = { replayNo: null, workspaceNo, scope, subscription }
  const limits = { examinedMax: EXAMINED_PER_WINDOW, takenMax: EXAMINED_PER_WINDOW }
  const seen = { count: 0, examined: 0, contentChars: 0 }
  let span = await spanOf(db, workspaceNo, scope)
  for (let windows = 0; windows < WINDOWS_MAX; windows++) {
    if (seen.examined >= EXAMINED_MAX || seen.contentChars >= CONTENT_CHARS_MAX) break
    const window = await readWindow({ db, bodies }, job, { ...span, ...limits })
    seen.count += window.again.length + window.fresh.length
    if (window.isLast) return { count: seen.count, isMinimum: false }
    seen.examined += window.examined
    seen.contentChars += window.contentChars
    span = { ...span, after: window.reached }
  }
  return { count: seen.count, isMinimum: true }
}
