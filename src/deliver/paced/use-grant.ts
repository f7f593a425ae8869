import { BACKGROUND_AFTER_MS } from '../../base/concurrency/task-group.ts'
import { hasRequestLimit, pacerTermsOf } from '../../pacing/settings.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { isPausedHere } from '../claim-run.ts'
import { CLAIM_LEASE_MS } from '../first-attempts.ts'
import type { Waiting } from './batches.sql.ts'
import {
  claimFirst,
  deliverUnderGrant,
  type Grant,
  LIMITED,
  type LimitedClaim,
  type Worked,
} from './claim-under-grant.ts'
import type { PacedDeps, PacedWork } from './deps.ts'
import { GrantGate } from './grant-gate.ts'
import { removeEndedPacing } from './paced-claims.sql.ts'
import {
  callPacer,
  EMPTY_REPORT,
  NOTHING_WAITING,
  type PacerReport,
  type Reply,
  readWaitingFor,
  waitingSeen,
} from './pacer-calls.ts'
import { serveOrdered } from './serve-ordered.ts'

/** When a receiver that hangs is looked at again. */
const HANGING_RECHECK_MS = 5_000
/** How long places are used again under one grant: its last requests have to end before it does. */
const REUSE_MS = 10_000
/** A place that has not become free for so long is taken by a receiver that hangs: what waits for it is given up. */
const STALL_MS = 1_000
/** Answers that take longer than this after the last request has started are waited for beside the next grant. */
const TAIL_MS = 250
/** Grants of one turn that wait for their answers. */
const BESIDE_MAX = 8

/** One turn of a subscription: grants that have started all their requests and wait for the last answers. */
export type Serving = { no: number; work: PacedWork; beside: Set<Promise<unknown>> }
/** A grant in use. */
type InUse = { grant: Grant; gate: GrantGate; subscription: Subscription }

/** Uses one grant; answers what the pacer says to what is left, or null when there is no more to do here. */
export async function useGrant(deps: PacedDeps, turn: Serving, grant: Grant): Promise<Reply | null> {
  const used = await orGiveBack(deps, turn, grant, async () => {
    const gate = gateOf(deps, grant)
    const first = await claimFirst(deps, turn.no, grant, { gate, expiresAtMs: deps.now() + CLAIM_LEASE_MS })
    if (first.claimed === null) return { reply: await withdraw(deps, turn, grant, first.waiting) }
    return await workClaimed(deps, turn, { grant, gate }, first.claimed)
  })
  return 'reply' in used ? used.reply : await goOn(deps, turn, used.waits)
}

/** Works what was claimed first and what follows; where others may start, does not wait for the last answers. */
async function workClaimed(
  deps: PacedDeps,
  turn: Serving,
  { grant, gate }: Omit<InUse, 'subscription'>,
  first: LimitedClaim,
): Promise<{ reply: Reply | null } | { waits: InUse }> {
  const { no, work, beside } = turn
  const [subscription] = first.claim.subscriptions
  if (subscription === undefined) throw new Error('a claim without its subscription')
  deps.turns.learn(no, hasRequestLimit(subscription.settings))
  const use = { grant, gate, subscription }
  const { started, ended } = deliverUnderGrant(deps, no, grant, { gate, first }, work)
  const isSpread = grant.everyMs > 0 || grant.reuse
  const mayGoOn = isSpread && !subscription.settings.ordered && !first.isIsolated && beside.size < BESIDE_MAX
  const tail = mayGoOn ? [started.then(() => deps.sleep(TAIL_MS))] : []
  const worked = await Promise.race([ended, ...tail])
  if (typeof worked === 'object') return { reply: await conclude(deps, turn, use, worked) }
  // One that fails stays, so that whoever waits for all hears of it.
  const waiting = orGiveBack(
    deps,
    turn,
    grant,
    async () => await finish(deps, turn, use, await ended, false),
  ).then(() => void beside.delete(waiting))
  waiting.catch(() => undefined)
  beside.add(waiting)
  return { waits: use }
}

/** Gives a grant back when something fails, after all its requests have ended: its places would be missing until it expires. */
async function orGiveBack<T>(
  deps: PacedDeps,
  turn: Serving,
  grant: Grant,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use()
  } catch (error) {
    // Where this fails as well, the grant expires by itself; the failure that led here is the one to report.
    await release(deps, turn.no, grant, { unused: 0, seen: null, wants: false }).catch(() => undefined)
    throw error
  }
}

function gateOf(deps: PacedDeps, grant: Grant): GrantGate {
  const { requests, places, askedAtMs, startInMs, everyMs, reuse } = grant
  const times = { requests, places, firstAtMs: askedAtMs + startInMs, everyMs }
  const bounds = reuse ? { untilMs: askedAtMs + REUSE_MS, stallMs: STALL_MS } : {}
  return new GrantGate({ ...times, ...bounds }, deps.now, deps.sleep)
}

/** Ends a grant; answers what may follow it, or has others go on when this turn has lasted long enough. */
async function conclude(deps: PacedDeps, turn: Serving, use: InUse, worked: Worked): Promise<Reply | null> {
  const isOver = deps.now() > turn.work.untilMs
  const reply = await finish(deps, turn, use, worked, !isOver)
  if (reply !== null && isOver) await deps.hints.paced([{ no: turn.no }])
  return isOver ? null : reply
}

/** Tells the pacer that a grant has been used, and what is left; null when the receiver is to be left alone. */
async function finish(
  deps: PacedDeps,
  { no, work }: Serving,
  { grant, gate, subscription }: InUse,
  { last, hasSplit, hasLeft }: Worked,
  wants: boolean,
): Promise<Reply | null> {
  const nowMs = deps.now()
  const unused = grant.requests - gate.used
  if (isPausedHere({ invocation: work.invocation, deps: deps.work }, subscription, nowMs)) {
    await release(deps, no, grant, { unused, seen: NOTHING_WAITING, wants: false })
    await deps.hints.dueAt(new Map([[no, nowMs + HANGING_RECHECK_MS]]))
    return null
  }
  // Where keys that were in hand are free now, batches were split, something was not started, a probe has passed, or much
  // time has, what was read with the claim is out of date.
  const isLate = nowMs - grant.askedAtMs > BACKGROUND_AFTER_MS
  const isChanged = subscription.settings.ordered || hasSplit || hasLeft || last.waiting === null || isLate
  const left = isChanged ? (await readWaitingFor(deps, no)).seen : waitingSeen(last.waiting)
  const finished = { leaseId: grant.leaseId, unused }
  const told: PacerReport = { ...EMPTY_REPORT, terms: termsOf(subscription), seen: left, finished, wants }
  return await callPacer(deps, no, { ...told, placesMax: work.invocation.slots.count })
}

/** Asks for the next grant while the last answers of one are out, whose other places are free. */
async function goOn(
  deps: PacedDeps,
  { no, work }: Serving,
  { grant, gate, subscription }: InUse,
): Promise<Reply | null> {
  const nowMs = deps.now()
  if (isPausedHere({ invocation: work.invocation, deps: deps.work }, subscription, nowMs)) {
    await deps.hints.dueAt(new Map([[no, nowMs + HANGING_RECHECK_MS]]))
    return null
  }
  const isOver = nowMs > work.untilMs
  // Without a connection to spare it would let times pass; the pacer wakes somebody who has one.
  const wants = !isOver && work.invocation.slots.hasFree(subscription)
  const keeps = grant.places === null ? null : { leaseId: grant.leaseId, places: gate.running }
  const placesMax = work.invocation.slots.count
  const told: PacerReport = { ...EMPTY_REPORT, terms: termsOf(subscription), keeps, placesMax, wants }
  const reply = await callPacer(deps, no, { ...told, seen: (await readWaitingFor(deps, no)).seen })
  if (isOver) await deps.hints.paced([{ no }])
  return wants ? reply : null
}

/** Gives back a grant for which there was nothing to claim. */
async function withdraw(
  deps: PacedDeps,
  { no, work }: Serving,
  grant: Grant,
  waiting: Waiting | null,
): Promise<Reply | null> {
  // A batch whose members have all ended yields nothing, and would be in the way of the next for ever.
  const isFreed =
    waiting !== null && (await removeEndedPacing(deps.db, { subscriptionNo: no, nowMs: deps.now() }))
  const seen = isFreed || waiting === null ? (await readWaitingFor(deps, no)).seen : waitingSeen(waiting)
  const reply = await release(deps, no, grant, { unused: grant.requests, seen, wants: isFreed })
  if (waiting !== null && waiting.level !== LIMITED) await serveOrdered(deps, no, work)
  return isFreed ? reply : null
}

/** Gives a grant back that came to nothing, or ends one after which nothing may follow. */
async function release(
  deps: PacedDeps,
  no: number,
  { leaseId }: Grant,
  { unused, ...told }: { unused: number; seen: PacerReport['seen']; wants: boolean },
): Promise<Reply> {
  return await callPacer(deps, no, { ...EMPTY_REPORT, ...told, finished: { leaseId, unused } })
}

function termsOf({ settings, version }: Subscription): PacerReport['terms'] {
  return pacerTermsOf(settings, version)
}
