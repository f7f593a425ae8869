import type { PacerTerms } from '../settings.ts'
import { countCallReport } from './count-report.ts'
import { demandAtMs } from './demand.ts'
import { giveGrant } from './give-grant.ts'
import type { PacerCall, PacerReply } from './protocol.ts'
import { bucketOf, LEAD_MS, nextSlotMs } from './rate.ts'
import { withoutFarTimes } from './set-back.ts'
import { countCall } from './shards.ts'
import { type PacerState, permitsTaken, type TermedState } from './state.ts'

/** Fewer grants in a row that carry nothing are usual: several consumers were woken. */
const FRUITLESS_MIN = 5
const CALM_MS_MIN = 250
const CALM_MS_MAX = 30_000

/** The outcome of a call; the object is to be woken at `wakeAtMs`, on the clock of the call. */
export type PacerAnswer = { state: PacerState; reply: PacerReply; wakeAtMs: number | null }

/**
 * Answers one call: counts what the caller reports and decides whether requests may start. Counting too
 * much costs one vain look in D1, counting too little would delay a flush: doubtful counts are added.
 */
export function answerPacerCall(known: PacerState, call: PacerCall): PacerAnswer {
  const terms = known.terms ?? call.terms
  if (terms === null) return { state: known, reply: { kind: 'unknown' }, wakeAtMs: null }
  const { nowMs, leaseId } = call
  const before = withoutFarTimes(known, nowMs)
  const counted = countCallReport({ ...before, terms, subscriptionNo: call.subscriptionNo }, call)
  const state = { ...counted, load: countCall(counted.load, nowMs) }
  const shards = isShardable(state.terms) ? state.load.shards : 1
  const granted = call.wantsMore ? giveGrant(state, call) : null
  const atMs = wakeAtMs(granted?.state ?? state, nowMs)
  if (granted !== null) {
    const { state, go } = granted
    return { state, reply: { kind: 'go', leaseId, ...go, shards }, wakeAtMs: atMs }
  }
  const wakeInMs = atMs === null ? null : atMs - nowMs
  return { state, reply: { kind: 'rest', wakeInMs, shards }, wakeAtMs: atMs }
}

/** Several pacers may each keep a part of a count, but not of a limit. */
function isShardable({ batch, rate, concurrency }: PacerTerms): boolean {
  return batch !== null && rate === null && concurrency === null
}

/** The latest time at which a consumer has to come; null: nothing is known to wait. */
function wakeAtMs(state: TermedState, nowMs: number): number | null {
  const { rate, concurrency } = state.terms
  const soonestMs = nowMs + 1
  const leaseEndsMs = state.leases.map(({ endsAtMs }) => endsAtMs)
  const hasPermit = concurrency === null || permitsTaken(state.leases) < concurrency
  const workMs = hasPermit ? demandAtMs(state, nowMs) : null
  const calmMs = nowMs + calmAfter(state.fruitless)
  const slotMs = rate === null ? 0 : nextSlotMs(bucketOf(rate), state.tatMs) - LEAD_MS
  const candidates = workMs === null ? leaseEndsMs : [...leaseEndsMs, Math.max(workMs, slotMs, calmMs)]
  return candidates.length === 0 ? null : Math.max(soonestMs, Math.min(...candidates))
}

/** Wake-ups cost money: where D1 reports deliveries but yields none, they come ever more rarely. */
function calmAfter(fruitless: number): number {
  return fruitless < FRUITLESS_MIN ? 0 : Math.min(CALM_MS_MAX, CALM_MS_MIN * 2 ** (fruitless - FRUITLESS_MIN))
}
