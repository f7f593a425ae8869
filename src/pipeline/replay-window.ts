import type { DeliveryState } from '../domain/delivery.ts'
import { patternMatches } from '../domain/event-type.ts'
import { compileMatcher } from '../domain/matcher.ts'
import {
  type ReplayCandidate,
  type ReplayScope,
  type ReplayVerdict,
  replayVerdict,
  walkOf,
} from '../domain/replay.ts'
import { compileRules } from '../domain/rules.ts'
import type { Subscription } from '../domain/subscription.ts'
import { readCandidates, readEvents } from '../storage/replay-steps.ts'
import { eventView } from './read-event.ts'

export type WindowDeps = { db: D1Database; bodies: R2Bucket }

/** What a window is cut out of. `replayNo` is null where nothing is to be replayed, only counted. */
export type WindowJob = {
  replayNo: number | null
  workspaceNo: number
  scope: ReplayScope
  /** Null for a replay of one event. */
  subscription: Subscription | null
}

/** How far a window may go: candidates looked at, and deliveries taken. */
export type WindowLimits = { examined: number; taken: number }

/** A stretch of a replay's walk, looked at: what is to be made due again, and what is to be given a row. */
export type ReplayWindow = {
  again: { subscriptionNo: number; seq: number; state: DeliveryState }[]
  fresh: { subscriptionNo: number; seq: number }[]
  examined: number
  /** Where the walk is after it. */
  reached: number
  isLast: boolean
  /** Characters of events' content that were read for it. */
  contentChars: number
}

/** Content read for one window: it is in memory at once. */
const CONTENT_CHARS_MAX = 4_000_000
/** Where a rate takes few of the candidates, reading the content of many more would be wasted. */
const LOOK_AHEAD = 20

type Judged = { candidate: ReplayCandidate; verdict: ReplayVerdict }

/** Looks at the candidates above `after`, up to `until`, as far as the limits allow: always at one of them at least. */
export async function readWindow(
  deps: WindowDeps,
  job: WindowJob,
  { after, until }: { after: number; until: number },
  limits: WindowLimits,
): Promise<ReplayWindow> {
  const wants = job.subscription === null ? null : wantsOf(job.subscription)
  const withSizes =
    job.scope.kind === 'subscription' && job.scope.backfill && (wants?.byContent ?? null) !== null
  const limit = withSizes ? Math.min(limits.examined, limits.taken * LOOK_AHEAD) : limits.examined
  const candidates = await readCandidates(deps.db, { ...scanOf(job), after, until, limit, withSizes })
  const judged = candidates.map((candidate): Judged => {
    const verdict = replayVerdict(candidate, job.scope, job.replayNo)
    const isUnwanted = verdict === 'new_if_wanted' && wants?.byType(candidate.type) !== true
    return { candidate, verdict: isUnwanted ? null : verdict }
  })
  const { readable, contentChars } = cutByContent(judged)
  const unwanted = await unwantedSeqs(deps, job.workspaceNo, readable, wants?.byContent ?? null)
  const looked = cutByTaken(
    readable.map((each) => (isUnwanted(each, unwanted) ? { ...each, verdict: null } : each)),
    limits.taken,
  )
  const isLast = candidates.length < limit && looked.length === candidates.length
  const taken = looked.filter(({ verdict }) => verdict !== null)
  return {
    again: taken.flatMap(({ candidate: { subscriptionNo, seq, row }, verdict }) =>
      verdict === 'again' && row !== null ? [{ subscriptionNo, seq, state: row.state }] : [],
    ),
    fresh: taken.flatMap(({ candidate: { subscriptionNo, seq }, verdict }) =>
      verdict === 'again' ? [] : [{ subscriptionNo, seq }],
    ),
    examined: looked.filter(({ candidate }) => isConcerned(job.scope, candidate)).length,
    reached: isLast ? Math.max(after, until) : (looked.at(-1)?.candidate.position ?? after),
    isLast,
    contentChars,
  }
}

function scanOf({ workspaceNo, scope, subscription }: WindowJob) {
  return {
    walk: walkOf(scope),
    workspaceNo,
    subscriptionNo: subscription?.no ?? 0,
    seq: scope.kind === 'event' ? scope.seq : 0,
    subscriptionNos: scope.kind === 'event' ? (scope.webhooks?.map(({ no }) => no) ?? null) : null,
  }
}

/** A replay of one event walks past subscriptions that have nothing to do with it. */
function isConcerned(scope: ReplayScope, { row, fanout }: ReplayCandidate): boolean {
  return scope.kind !== 'event' || row !== null || fanout !== null
}

function cutByContent(judged: readonly Judged[]): { readable: Judged[]; contentChars: number } {
  let contentChars = 0
  for (const [i, { candidate, verdict }] of judged.entries()) {
    const chars = verdict === 'new_if_wanted' ? candidate.contentChars : 0
    if (chars > 0 && contentChars > 0 && contentChars + chars > CONTENT_CHARS_MAX)
      return { readable: judged.slice(0, i), contentChars }
    contentChars += chars
  }
  return { readable: [...judged], contentChars }
}

function cutByTaken(judged: readonly Judged[], max: number): Judged[] {
  let taken = 0
  const end = judged.findIndex(({ verdict }) => verdict !== null && ++taken === max)
  return judged.slice(0, end === -1 ? undefined : end + 1)
}

/** What a subscription asks of events: of the type, and of the content where it asks anything of that. */
type Wants = {
  byType: (type: string) => boolean
  byContent: ReturnType<typeof compileMatcher> | null
}

function wantsOf({ no, settings: { events, livemode, apiVersion, rules } }: Subscription): Wants {
  const isNarrowed = livemode !== null || apiVersion !== null || rules !== null
  const narrowed = { livemode, apiVersion, rules: rules === null ? null : compileRules(rules) }
  return {
    byType: (type) => events.some((pattern) => patternMatches(pattern, type)),
    byContent: isNarrowed ? compileMatcher([{ no, active: true, events, narrowed }]) : null,
  }
}

/** Reads those events whose content decides, and answers which of them the subscription does not want. */
async function unwantedSeqs(
  { db, bodies }: WindowDeps,
  workspaceNo: number,
  judged: readonly Judged[],
  matcher: Wants['byContent'],
): Promise<ReadonlySet<number>> {
  const seqs = judged.flatMap(({ candidate, verdict }) =>
    verdict === 'new_if_wanted' ? [candidate.seq] : [],
  )
  if (matcher === null || seqs.length === 0) return new Set()
  const unwanted = new Set(seqs)
  for (const event of await readEvents(db, workspaceNo, seqs)) {
    // One after the other: large contents are not to be in memory together.
    const view = await eventView(bodies, event)
    if (view === null) continue
    const { livemode, api_version: apiVersion } = view
    const matched = matcher({ type: event.type, livemode, apiVersion, view: () => view })
    if (matched.length > 0) unwanted.delete(event.seq)
  }
  return unwanted
}

function isUnwanted({ candidate, verdict }: Judged, unwanted: ReadonlySet<number>): boolean {
  return verdict === 'new_if_wanted' && unwanted.has(candidate.seq)
}
