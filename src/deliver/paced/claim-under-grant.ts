import { joinAll } from '../../base/concurrency/wait.ts'
import { seqFloor } from '../../base/ids/seq.ts'
import { REQUESTS_MAX } from '../../pacing/pacer/demand.ts'
import type { PacerReply } from '../../pacing/pacer/protocol.ts'
import { PACING_LEVELS } from '../../pacing/settings.ts'
import { heldBytesOf } from '../attempt/claimed-delivery.ts'
import { PAIRS_PER_CLAIM } from '../first-attempts.ts'
import type { BatchCause, BatchMode, Waiting } from './batches.sql.ts'
import { deliverPacedClaim } from './deliver-paced-claim.ts'
import type { PacedDeps, PacedWork } from './deps.ts'
import type { GrantGate } from './grant-gate.ts'
import { isolatePoison } from './isolate-poison.ts'
import { claimPaced, type PacedClaim } from './paced-claims.sql.ts'
import type { Reply } from './pacer-calls.ts'

/** Leave to make requests. */
export type Grant = Extract<PacerReply, { kind: 'go' }> & Pick<Reply, 'askedAtMs'>
export type LimitedClaim = PacedClaim & {
  expiresAtMs: number
  isIsolated: boolean
  waiting: Waiting | null
}
/** What came of a grant's claims: the last of them, whether batches were split, and whether something was not started. */
export type Worked = { last: LimitedClaim; hasSplit: boolean; hasLeft: boolean }

export const LIMITED = PACING_LEVELS.indexOf('limited')
const MODES: Record<Grant['flush'], BatchMode> = { none: 'flushed', full: 'full', all: 'all' }

/** The gate of a grant, and when its claims expire. */
export type GrantTimes = { gate: GrantGate; expiresAtMs: number }

/** Claims what a grant lets start. */
export async function claimFirst(deps: PacedDeps, no: number, grant: Grant, times: GrantTimes) {
  return await claim(deps, no, times, MODES[grant.flush], grant.cause ?? 'count')
}

/** Claims more under the same grant: what has begun to wait since waits for its own company. */
async function claimMore(
  deps: PacedDeps,
  no: number,
  grant: Grant,
  times: GrantTimes,
): Promise<LimitedClaim | null> {
  const mode = grant.flush === 'none' ? 'flushed' : 'full'
  return (await claim(deps, no, times, mode, 'count')).claimed
}

async function claim(
  deps: PacedDeps,
  no: number,
  { gate, expiresAtMs }: GrantTimes,
  mode: BatchMode,
  cause: BatchCause,
): Promise<{ claimed: LimitedClaim | null; waiting: Waiting | null }> {
  const nowMs = deps.now()
  const terms = {
    ...{ id: deps.newId(), nowMs, expiresAtMs, subscriptionNo: no, level: LIMITED },
    ...{ batchesMax: Math.min(gate.left, REQUESTS_MAX), pairsMax: Math.min(gate.left, PAIRS_PER_CLAIM) },
  }
  const { claimed, waiting } = await claimPaced(deps.db, terms, { mode, cause, noFloor: seqFloor(nowMs) })
  if (claimed === null) return { claimed: null, waiting }
  const isolated = await isolatePoison(deps.db, claimed)
  return { claimed: { ...isolated, expiresAtMs, isIsolated: isolated !== claimed, waiting }, waiting }
}

/** `started`: resolves when nothing more will start under a grant, and never rejects; `ended`: when all of it has ended. */
export type GrantDelivery = { started: Promise<void>; ended: Promise<Worked> }

/**
 * Works the first claim under a grant, and the next ones for as long as the grant lets requests start: one after the other
 * where each was cut down to what may be tried alone, since one request of each grant would be a fraction of the limit; as
 * soon as a place is free where nothing but places is limited. All of them expire with the first, since the pacer counts
 * the grant's requests for no longer.
 */
export function deliverUnderGrant(
  deps: PacedDeps,
  no: number,
  grant: Grant,
  { gate, first }: { gate: GrantGate; first: LimitedClaim },
  work: PacedWork,
): GrantDelivery {
  const worked: Worked = { last: first, hasSplit: false, hasLeft: false }
  const underWay: Promise<void>[] = []
  const claiming = claimOn(deps, no, grant, { gate, first }, work, (claimed) => {
    worked.last = claimed
    const working = deliverOneClaim(deps, claimed, gate, work, worked)
    underWay.push(working)
    return working
  })
  const started = claiming.then(() => gate.drained()).catch(() => undefined)
  return { started, ended: endOf(claiming, underWay, worked) }
}

/** What has begun goes on when no more can be claimed. */
async function endOf(
  claiming: Promise<void>,
  underWay: readonly Promise<void>[],
  worked: Worked,
): Promise<Worked> {
  try {
    await claiming
  } finally {
    await joinAll(underWay)
  }
  return worked
}

async function claimOn(
  deps: PacedDeps,
  no: number,
  grant: Grant,
  { gate, first }: { gate: GrantGate; first: LimitedClaim },
  { untilMs, invocation }: PacedWork,
  begin: (claimed: LimitedClaim) => Promise<void>,
): Promise<void> {
  const isOrdered = first.claim.subscriptions.some(({ settings }) => settings.ordered)
  const times = { gate, expiresAtMs: first.expiresAtMs }
  for (let next: LimitedClaim | null = first; next !== null; ) {
    const overlaps: boolean = grant.reuse && !isOrdered && !next.isIsolated
    const working = begin(next)
    if (overlaps) await Promise.race([working, gate.drained()])
    else if (next.isIsolated) await working
    else return
    if (gate.left === 0 || deps.now() > untilMs || invocation.pausedReceivers.has(no)) return
    next = await claimMore(deps, no, grant, times)
  }
}

async function deliverOneClaim(
  deps: PacedDeps,
  claimed: LimitedClaim,
  gate: GrantGate,
  { invocation, report, holds }: PacedWork,
  worked: Worked,
): Promise<void> {
  const bytes = heldBytesOf(claimed.claim.events)
  holds.bytes += bytes
  report.claims++
  try {
    const done = await deliverPacedClaim(deps.work, claimed, claimed.expiresAtMs, invocation, gate)
    report.attempts += done.attempts
    report.delivered += done.delivered
    worked.hasSplit ||= done.hasSplit
    worked.hasLeft ||= done.hasLeft
    await deps.hints.dueAt(done.dueMs)
  } finally {
    holds.bytes -= bytes
  }
}
