import { Yielder } from '../base/concurrency/yielder.ts'
import { compileMatcher } from '../match/matcher.ts'
import { compileRules } from '../match/rules.ts'
import { SharedSteps } from '../match/shared-steps.ts'
import type { DeliveryState } from '../model/delivery.ts'
import { patternMatches } from '../model/event-type.ts'
import type { EventView } from '../model/event-view.ts'
import { orderKeyOf } from '../pacing/order-key.ts'
import { eventView } from '../store/event-text.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { type ReadCandidate, readCandidates, readEvents } from './candidates.sql.ts'
import {
  type ReplayCandidate,
  type ReplayScope,
  type ReplayVerdict,
  replayVerdict,
  walkOf,
} from './replay.ts'

export type WindowDeps = { db: D1Database; bodies: R2Bucket }

/** The walk that a window is a part of. `replayNo` is null for a dry run, which only counts. */
export type WindowJob = {
  replayNo: number | null
  workspaceNo: number
  scope: ReplayScope
  /** Null for a replay of one event. */
  subscription: Subscription | null
}

/** Bounds of a window: candidates above `after`, up to `until`, and most deliveries to be taken. */
type WindowBounds = { after: number; until: number; examinedMax: number; takenMax: number }

/**
 * A stretch of a walk, looked at: deliveries to be made due again, and deliveries to be given a
 * row.
 */
type ReplayWindow = {
  again: { subscriptionNo: number; seq: number; state: DeliveryState }[]
  fresh: { subscriptionNo: number; seq: number; orderKey: string | null }[]
  examined: number
  /** The place of the walk after it. */
  reached: number
  isLast: boolean
  /** Characters of content that were read for it. */
  contentChars: number
}

/** Characters of content read for one window: they are in memory at once. */
const CONTENT_CHARS_MAX = 4_000_000
/**
 * Candidates read per delivery to be taken: a rate that takes few would waste the content of more.
 */
const LOOK_AHEAD = 20

/** A candidate and its verdict. */
type Judged = {
  candidate: ReplayCandidate
  verdict: ReplayVerdict
  /** The path of its ordering key, where it gets a row and has one. */
  orderingKey: string | null
  /** True if its verdict or its ordering key depends on its content. */
  isRead: boolean
  orderKey: string | null
}

/** Looks at the candidates within the bounds, at one of them at least. */
export async function readWindow(
  deps: WindowDeps,
  job: WindowJob,
  { after, until, examinedMax, takenMax }: WindowBounds,
): Promise<ReplayWindow> {
  const wants = job.subscription === null ? null : wantsOf(job.subscription)
  const withSizes = isByContent(job, wants)
  const limit = withSizes ? Math.min(examinedMax, takenMax * LOOK_AHEAD) : examinedMax
  const candidates = await readCandidates(deps.db, { ...scanOf(job), after, until, limit, withSizes })
  const { readable, contentChars } = cutByContent(candidates.map((each) => judge(each, job, wants)))
  const decided = await decideByContent(deps, { ...job, matcher: wants?.byContent ?? null }, readable)
  const looked = cutByTaken(decided, takenMax)
  const isLast = candidates.length < limit && looked.length === candidates.length
  return {
    ...deliveriesOf(looked),
    examined: looked.filter(({ candidate }) => isConcerned(job.scope, candidate)).length,
    reached: isLast ? Math.max(after, until) : (looked.at(-1)?.candidate.position ?? after),
    isLast,
    contentChars,
  }
}

function deliveriesOf(judged: readonly Judged[]): Pick<ReplayWindow, 'again' | 'fresh'> {
  const again: ReplayWindow['again'] = []
  const fresh: ReplayWindow['fresh'] = []
  for (const { candidate, verdict, orderKey } of judged) {
    const { subscriptionNo, seq, row } = candidate
    if (verdict === 'again' && row !== null) again.push({ subscriptionNo, seq, state: row.state })
    else if (verdict === 'new' || verdict === 'new_if_wanted') fresh.push({ subscriptionNo, seq, orderKey })
  }
  return { again, fresh }
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

/** True if the walk along events reads contents. */
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

/** A replay of one event also passes subscriptions that have nothing to do with it. */
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

/**
 * The events that a subscription wants: by type, and by content where its settings ask for that.
 */
type Wants = {
  byType: (type: string) => boolean
  byContent: ReturnType<typeof compileMatcher> | null
  /** The path of its ordering key; null where it keeps no order or has no key. */
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

/**
 * Reads events whose content decides: drops unwanted ones, and finds the ordering keys of the
 * others.
 */
async function decideByContent(
  { db, bodies }: WindowDeps,
  { workspaceNo, matcher }: { workspaceNo: number; matcher: Wants['byContent'] },
  judged: readonly Judged[],
): Promise<Judged[]> {
  const seqs = new Set(judged.flatMap(({ candidate: { seq }, isRead }) => (isRead ? [seq] : [])))
  if (seqs.size === 0) return [...judged]
  const wanted = new Set<number>()
  const orderKeys = new Map<Judged, string>()
  const yielder = new Yielder()
  const bySeq = Map.groupBy(judged, ({ candidate }) => candidate.seq)
  for (const event of await readEvents(db, workspaceNo, [...seqs])) {
    // One at a time: large contents are not to be in memory together.
    const view = await eventView(bodies, event)
    if (view === null) continue
    const steps = new SharedSteps()
    if (isWanted(matcher, view, steps)) wanted.add(event.seq)
    await yielder.after(steps.counted)
    for (const each of bySeq.get(event.seq) ?? []) {
      if (each.orderingKey !== null) orderKeys.set(each, orderKeyOf(view, each.orderingKey))
    }
  }
  return judged.map((each) => {
    const isUnwanted = each.verdict === 'new_if_wanted' && matcher !== null && !wanted.has(each.candidate.seq)
    return isUnwanted ? { ...each, verdict: null } : { ...each, orderKey: orderKeys.get(each) ?? null }
  })
}

function isWanted(matcher: Wants['byContent'], view: EventView, steps: SharedSteps): boolean {
  const { event: type, livemode, api_version: apiVersion } = view
  return matcher === null || matcher({ type, livemode, apiVersion, view: () => view }, steps).length > 0
}
