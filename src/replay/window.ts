import { compileMatcher } from '../match/matcher.ts'
import { compileRules } from '../match/rules.ts'
import type { DeliveryState } from '../model/delivery.ts'
import { patternMatches } from '../model/event-type.ts'
import { orderKeyOf } from '../pacing/order-key.ts'
import { eventView } from '../store/event-text.ts'
import type { Subscription } from '../subscription/subscription.ts'
import {
  type ReplayCandidate,
  type ReplayScope,
  type ReplayVerdict,
  replayVerdict,
  walkOf,
} from './replay.ts'
import { type ReadCandidate, readCandidates, readEvents } from './steps.sql.ts'

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
  fresh: { subscriptionNo: number; seq: number; orderKey: string | null }[]
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

/** A candidate with what is to be done with it. */
type Judged = {
  candidate: ReplayCandidate
  verdict: ReplayVerdict
  /** The path to what its delivery is ordered by, where it gets a row and has one. */
  orderingKey: string | null
  /** Whether its content is to be read: whether it is wanted, or what it is ordered by, depends on it. */
  isRead: boolean
  orderKey: string | null
}

/** Looks at the candidates above `after`, up to `until`, as far as the limits allow: always at one of them at least. */
export async function readWindow(
  deps: WindowDeps,
  job: WindowJob,
  { after, until }: { after: number; until: number },
  limits: WindowLimits,
): Promise<ReplayWindow> {
  const wants = job.subscription === null ? null : wantsOf(job.subscription)
  const withSizes = isByContent(job, wants)
  const limit = withSizes ? Math.min(limits.examined, limits.taken * LOOK_AHEAD) : limits.examined
  const candidates = await readCandidates(deps.db, { ...scanOf(job), after, until, limit, withSizes })
  const { readable, contentChars } = cutByContent(candidates.map((each) => judge(each, job, wants)))
  const decided = await decideByContent(deps, job.workspaceNo, readable, wants?.byContent ?? null)
  const looked = cutByTaken(decided, limits.taken)
  const isLast = candidates.length < limit && looked.length === candidates.length
  const taken = looked.filter(({ verdict }) => verdict !== null)
  return {
    again: taken.flatMap(({ candidate: { subscriptionNo, seq, row }, verdict }) =>
      verdict === 'again' && row !== null ? [{ subscriptionNo, seq, state: row.state }] : [],
    ),
    fresh: taken.flatMap(({ candidate: { subscriptionNo, seq }, verdict, orderKey }) =>
      verdict === 'again' ? [] : [{ subscriptionNo, seq, orderKey }],
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

/** Whether contents are read on the walk along events. */
function isByContent({ replayNo, scope }: WindowJob, wants: Wants | null): boolean {
  if (wants === null || scope.kind !== 'subscription' || walkOf(scope) !== 'events') return false
  return (scope.backfill && wants.byContent !== null) || (replayNo !== null && wants.orderingKey !== null)
}

function judge(candidate: ReadCandidate, job: WindowJob, wants: Wants | null): Judged {
  const said = replayVerdict(candidate, job.scope, job.replayNo)
  const verdict = said === 'new_if_wanted' && wants?.byType(candidate.type) !== true ? null : said
  const isOrdered = job.replayNo !== null && (verdict === 'new' || verdict === 'new_if_wanted')
  const orderingKey = isOrdered ? (wants === null ? candidate : wants).orderingKey : null
  const isMatched = verdict === 'new_if_wanted' && (wants?.byContent ?? null) !== null
  return { candidate, verdict, orderingKey, isRead: isMatched || orderingKey !== null, orderKey: null }
}

/** A replay of one event walks past subscriptions that have nothing to do with it. */
function isConcerned(scope: ReplayScope, { row, fanout }: ReplayCandidate): boolean {
  return scope.kind !== 'event' || row !== null || fanout !== null
}

function cutByContent(judged: readonly Judged[]): { readable: Judged[]; contentChars: number } {
  let contentChars = 0
  for (const [i, { candidate, isRead }] of judged.entries()) {
    const chars = isRead ? candidate.contentChars : 0
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
  /** The path to what its deliveries are ordered by; null where they have no key. */
  orderingKey: string | null
}

function wantsOf({ no, settings }: Subscription): Wants {
  const { events, livemode, apiVersion, rules, ordered, orderingKey } = settings
  const isNarrowed = livemode !== null || apiVersion !== null || rules !== null
  const narrowed = { livemode, apiVersion, rules: rules === null ? null : compileRules(rules) }
  return {
    byType: (type) => events.some((pattern) => patternMatches(pattern, type)),
    byContent: isNarrowed ? compileMatcher([{ no, active: true, events, narrowed }]) : null,
    orderingKey: ordered ? orderingKey : null,
  }
}

/** Reads those events whose content decides: leaves alone what is not wanted, and says what the others are ordered by. */
async function decideByContent(
  { db, bodies }: WindowDeps,
  workspaceNo: number,
  judged: readonly Judged[],
  matcher: Wants['byContent'],
): Promise<Judged[]> {
  const seqs = new Set(judged.flatMap(({ candidate: { seq }, isRead }) => (isRead ? [seq] : [])))
  if (seqs.size === 0) return [...judged]
  const wanted = new Set<number>()
  const orderKeys = new Map<Judged, string>()
  const bySeq = Map.groupBy(judged, ({ candidate }) => candidate.seq)
  for (const event of await readEvents(db, workspaceNo, [...seqs])) {
    // One after the other: large contents are not to be in memory together.
    const view = await eventView(bodies, event)
    if (view === null) continue
    const { livemode, api_version: apiVersion } = view
    const isWanted = matcher?.({ type: event.type, livemode, apiVersion, view: () => view }).length !== 0
    if (isWanted) wanted.add(event.seq)
    for (const each of bySeq.get(event.seq) ?? [])
      if (each.orderingKey !== null) orderKeys.set(each, orderKeyOf(view, each.orderingKey))
  }
  return judged.map((each) => {
    const isUnwanted = each.verdict === 'new_if_wanted' && matcher !== null && !wanted.has(each.candidate.seq)
    return isUnwanted ? { ...each, verdict: null } : { ...each, orderKey: orderKeys.get(each) ?? null }
  })
}
