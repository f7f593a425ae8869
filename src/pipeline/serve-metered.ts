import type { PacerCall, PacerReply } from '../domain/pacer-call.ts'
import { PACING_LEVELS, pacerTermsOf } from '../domain/pacing.ts'
import { seqFloor } from '../domain/seq.ts'
import type { PacedHint } from '../queue/message.ts'
import type { BatchCause, BindMode, Resting } from '../storage/batches.ts'
import { claimPaced, lookAtResting, type PacedClaim, tidyPacing } from '../storage/paced-claims.ts'
import { readSubscription } from '../storage/subscriptions.ts'
import { CLAIM_LEASE_MS, type ConsumeReport, PAIRS_PER_CLAIM } from './consume-events.ts'
import type { PacedEntry } from './consume-paced.ts'
import { type Background, STRAGGLER_MS } from './crew.ts'
import { isolateTroubled } from './isolate-troubled.ts'
import { serveOrdered } from './serve-ordered.ts'
import { StartGate } from './start-gate.ts'
import { workPaced } from './work-paced.ts'
import { type Invocation, isCutShort, type WorkDeps } from './work-run.ts'

export type PacedDeps = {
  db: D1Database
  work: WorkDeps
  now: () => number
  sleep: (ms: number) => Promise<void>
  newClaimId: () => string
  background: Background
  /** One call of a subscription's pacer. */
  turn: (call: PacerCall) => Promise<PacerReply>
  /** Sends the rest of the work to another invocation. */
  sendBack: (entries: PacedHint['subscriptions']) => Promise<void>
  /** Schedules looks at what is due later. */
  wake: (dueMs: ReadonlyMap<number, number>) => Promise<void>
}

/** What the turns of one invocation share. */
export type PacedWork = { untilMs: number; invocation: Invocation; report: ConsumeReport }

type Seen = NonNullable<PacerCall['seen']>
/** `askedAtMs`: when the call was made, from which its times count. */
type Reply = PacerReply & { askedAtMs: number }
type Grant = Extract<Reply, { kind: 'go' }>
/** What a caller has to tell its pacer; the rest of a call is always the same. */
type Told = Pick<PacerCall, 'terms' | 'noted' | 'seen' | 'finished' | 'wants'>

const NOTHING_SEEN: Seen = { events: 0, bytes: 0, sinceMs: null, isDue: false }
const TOLD_NOTHING: Told = { terms: null, noted: null, seen: null, finished: null, wants: true }
/** When a receiver that hangs is looked at again. */
const SLOW_REST_MS = 5_000
const MODES: Record<Grant['flush'], BindMode> = { none: 'flushed', full: 'full', all: 'all' }

/**
 * Serves one subscription as long as its pacer lets it: asks, binds and claims, makes the requests, and tells the pacer
 * what is left, which is at the same time the next question. Rejects when D1 or the pacer fails.
 */
export async function serveMetered(deps: PacedDeps, entry: PacedEntry, work: PacedWork): Promise<void> {
  const { no } = entry
  if (entry.isOrdered) return await serveOrdered(deps, no, work)
  const told: Told = { ...TOLD_NOTHING, noted: entry.noted }
  if (entry.isLook) {
    const looked = await look(deps, no)
    if (looked.paced !== null && looked.paced !== METERED) return await serveOrdered(deps, no, work)
    told.seen = looked.seen
    const subscription = await readSubscription(deps.db, no)
    if (subscription !== null) told.terms = pacerTermsOf(subscription.settings, subscription.version)
  }
  let reply = await ask(deps, no, told)
  if (reply.kind === 'unknown') {
    const subscription = await readSubscription(deps.db, no)
    if (subscription === null || subscription.paced !== 'metered') return await serveOrdered(deps, no, work)
    reply = await ask(deps, no, { ...told, terms: pacerTermsOf(subscription.settings, subscription.version) })
  }
  while (reply.kind === 'go') {
    const next = await useGrant(deps, no, reply, work)
    if (next === null) return
    reply = next
  }
}

const METERED = PACING_LEVELS.indexOf('metered')

/** Uses one grant; answers what the pacer says to what is left, or null when there is no more to do here. */
async function useGrant(deps: PacedDeps, no: number, grant: Grant, work: PacedWork): Promise<Reply | null> {
  const times = {
    requests: grant.requests,
    firstAtMs: grant.askedAtMs + grant.startInMs,
    everyMs: grant.everyMs,
  }
  const gate = new StartGate(times, deps.now, deps.sleep)
  const expiresAtMs = deps.now() + CLAIM_LEASE_MS
  const first = await claim(deps, no, grant, { gate, expiresAtMs })
  if (first.claimed === null) return await withdraw(deps, no, grant, first.resting, work)
  const { last, hasSplit } = await workClaims(deps, no, grant, { gate, first: first.claimed }, work)
  const [subscription] = last.claim.subscriptions
  const unused = grant.requests - gate.used
  if (subscription === undefined) throw new Error('a claim without its subscription')
  const nowMs = deps.now()
  if (isCutShort({ invocation: work.invocation, deps: deps.work }, subscription, nowMs)) {
    await release(deps, no, grant, { unused, seen: NOTHING_SEEN, wants: false })
    await deps.wake(new Map([[no, nowMs + SLOW_REST_MS]]))
    return null
  }
  // Where keys that were in hand are free now, batches were split, a probe has passed, or much time has, what was read
  // with the claim is out of date.
  const isLate = nowMs - grant.askedAtMs > STRAGGLER_MS
  const isChanged = subscription.settings.ordered || hasSplit || last.resting === null || isLate
  const left = isChanged ? (await look(deps, no)).seen : seenOf(last.resting)
  const isOver = nowMs > work.untilMs
  const reply = await ask(deps, no, {
    ...TOLD_NOTHING,
    terms: pacerTermsOf(subscription.settings, subscription.version),
    seen: left,
    finished: { leaseId: grant.leaseId, unused },
    wants: !isOver,
  })
  if (!isOver) return reply
  await deps.sendBack([{ no }])
  return null
}

/** Gives back a grant for which there was nothing to claim. */
async function withdraw(
  deps: PacedDeps,
  no: number,
  grant: Grant,
  resting: Resting | null,
  work: PacedWork,
): Promise<Reply | null> {
  // A batch whose members have all ended yields nothing, and would be in the way of the next for ever.
  const isFreed = resting !== null && (await tidyPacing(deps.db, { subscriptionNo: no, nowMs: deps.now() }))
  const seen = isFreed || resting === null ? (await look(deps, no)).seen : seenOf(resting)
  const reply = await release(deps, no, grant, { unused: grant.requests, seen, wants: isFreed })
  if (resting !== null && resting.paced !== METERED) await serveOrdered(deps, no, work)
  return isFreed ? reply : null
}

type MeteredClaim = PacedClaim & { expiresAtMs: number; isIsolated: boolean; resting: Resting | null }

/**
 * Works the first claim under a grant and, where that was cut down to what may be tried alone, the next ones for as long
 * as the grant lets requests start: one request of each grant would be a fraction of the limit. All of them expire with
 * the first, since the pacer counts the grant's requests for no longer.
 */
async function workClaims(
  deps: PacedDeps,
  no: number,
  grant: Grant,
  { gate, first }: { gate: StartGate; first: MeteredClaim },
  work: PacedWork,
): Promise<{ last: MeteredClaim; hasSplit: boolean }> {
  let last = first
  let hasSplit = false
  for (let next: MeteredClaim | null = first; next !== null; ) {
    last = next
    work.report.claims++
    const done = await workPaced(deps.work, last, last.expiresAtMs, work.invocation, gate)
    work.report.attempts += done.attempts
    work.report.delivered += done.delivered
    hasSplit ||= done.hasSplit
    await deps.wake(done.dueMs)
    const hasEnded = !last.isIsolated || gate.left === 0 || deps.now() > work.untilMs
    next = hasEnded ? null : (await claim(deps, no, grant, { gate, expiresAtMs: first.expiresAtMs })).claimed
  }
  return { last, hasSplit }
}

/** Claims what the rest of a grant lets start. */
async function claim(
  deps: PacedDeps,
  no: number,
  { flush, cause }: Grant,
  { gate, expiresAtMs }: { gate: StartGate; expiresAtMs: number },
): Promise<{ claimed: MeteredClaim | null; resting: Resting | null }> {
  const nowMs = deps.now()
  const requests = gate.left
  const terms = {
    ...{ id: deps.newClaimId(), nowMs, expiresAtMs, pairsMax: PAIRS_PER_CLAIM },
    ...{ subscriptionNo: no, paced: METERED, requestsMax: requests },
  }
  const bind = {
    batchesMax: requests,
    mode: MODES[flush],
    cause: (cause ?? 'count') satisfies BatchCause,
    noFloor: seqFloor(nowMs),
  }
  const { claimed, resting } = await claimPaced(deps.db, terms, bind)
  if (claimed === null) return { claimed: null, resting }
  const isolated = await isolateTroubled(deps.db, claimed)
  return { claimed: { ...isolated, expiresAtMs, isIsolated: isolated !== claimed, resting }, resting }
}

/** Gives a grant back that came to nothing, or ends one after which nothing may follow. */
async function release(
  deps: PacedDeps,
  no: number,
  { leaseId }: Grant,
  { unused, seen, wants }: { unused: number; seen: Seen; wants: boolean },
): Promise<Reply> {
  return await ask(deps, no, { ...TOLD_NOTHING, seen, finished: { leaseId, unused }, wants })
}

/** What rests right now, its level as stored; what is held or due later is seen to by wake-ups of its own. */
async function look(deps: PacedDeps, no: number): Promise<{ seen: Seen; paced: number | null }> {
  const at = { subscriptionNo: no, nowMs: deps.now() }
  const looked = await lookAtResting(deps.db, at)
  // What has ended in another way than by its batch may still hold its key.
  const isFreed = looked.resting?.isDue === false && (await tidyPacing(deps.db, at))
  const { resting, heldUntilMs, nextDueMs } = isFreed ? await lookAtResting(deps.db, at) : looked
  const laterMs = heldUntilMs ?? nextDueMs
  if (laterMs !== null) await deps.wake(new Map([[no, laterMs]]))
  return { seen: seenOf(resting), paced: resting?.paced ?? null }
}

function seenOf(resting: Resting | null): Seen {
  if (resting === null) return NOTHING_SEEN
  const { events, bytes, sinceMs, isDue } = resting
  return { events, bytes, sinceMs, isDue }
}

async function ask(deps: PacedDeps, subscriptionNo: number, told: Told): Promise<Reply> {
  const askedAtMs = deps.now()
  const reply = await deps.turn({
    v: 1,
    subscriptionNo,
    nowMs: askedAtMs,
    leaseId: deps.newClaimId(),
    ...told,
  })
  return { ...reply, askedAtMs }
}
