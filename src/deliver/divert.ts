import { eventIdOf, type Pair, pairKey, type StoredEvent } from '../model/delivery.ts'
import { defaultPayload } from '../model/event.ts'
import { orderKeyOf } from '../pacing/order-key.ts'
import { holdOf } from '../receiver/hold.ts'
import { parseView } from '../store/event-text.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { type Claim, giveUpClaim, releaseStatement } from './claims.sql.ts'
import type { ConsumerDeps } from './consumer-deps.ts'
import { type WaitingRecord, waitingStatement } from './settle/settle.sql.ts'

/**
 * Diverts deliveries that could hold up the proven receivers of this queue, and returns the claim without them:
 * - to a suspect or slow receiver: due now in D1, so that the retries queue makes them;
 * - to a held or paced one: waiting in D1 until the hold ends or the pacer calls;
 * - to an unproven one: to the queue of unproven receivers.
 */
export async function divert(
  deps: ConsumerDeps,
  claim: Claim,
  receivers: 'proven' | 'unproven',
): Promise<Claim> {
  const healthOf = new Map(claim.subscriptions.map(({ no, health }) => [no, health]))
  const nowMs = deps.now()
  const holds = holdsOf(claim, nowMs)
  const paced = pacedOf(claim)
  const waiting = waitingOf(
    claim,
    (pair) =>
      paced.has(pair.subscriptionNo) ||
      holds.has(pair.subscriptionNo) ||
      healthOf.get(pair.subscriptionNo) === 'suspect' ||
      deps.work.inFlight.isSlow(pair.subscriptionNo, nowMs),
    (event, no) => waitingFor(paced.get(no), event, nowMs),
  )
  const waitingKeys = new Set(waiting.map(pairKey))
  const isForwarded = (pair: Pair) =>
    receivers === 'proven' &&
    healthOf.get(pair.subscriptionNo) === 'unproven' &&
    !waitingKeys.has(pairKey(pair))
  const unproven = claim.pairs.filter(isForwarded)
  if (waiting.length === 0 && unproven.length === 0) return claim
  const kept = claim.pairs.filter((pair) => !waitingKeys.has(pairKey(pair)) && !isForwarded(pair))
  try {
    await deps.db.batch([
      ...(waiting.length > 0 ? [waitingStatement(deps.db, waiting)] : []),
      releaseStatement(deps.db, claim.id, kept),
    ])
    if (unproven.length > 0) await deps.hints.unprovenFirstAttempts(unproven)
    await deps.hints.dueAt(wakesOf(waiting, holds, nowMs))
    const looks = new Set(waiting.flatMap(({ subscriptionNo: no }) => (paced.has(no) ? [no] : [])))
    if (looks.size > 0) await deps.hints.paced([...looks].map((no) => ({ no })))
  } catch (error) {
    await giveUpClaim(deps.db, claim.id)
    throw error
  }
  return { ...claim, pairs: kept }
}

/** Until when subscriptions of a claim are held, in unix milliseconds; null for paused ones. */
function holdsOf(claim: Claim, nowMs: number): Map<number, number | null> {
  const holds = new Map<number, number | null>()
  for (const subscription of claim.subscriptions.filter(({ active }) => active)) {
    const hold = holdOf(subscription, nowMs)
    if (hold.kind === 'paused') holds.set(subscription.no, null)
    if (hold.kind === 'until') holds.set(subscription.no, hold.probe ? nowMs : hold.untilMs)
  }
  return holds
}

/** Subscriptions that have become paced since the event was matched. */
function pacedOf(claim: Claim): Map<number, Subscription> {
  const paced = claim.subscriptions.filter(({ active, pacingLevel: level }) => active && level !== 'none')
  return new Map(paced.map((subscription) => [subscription.no, subscription]))
}

function waitingFor(
  paced: Subscription | undefined,
  event: StoredEvent,
  nowMs: number,
): Pick<WaitingRecord, 'dueAtMs' | 'orderKey'> {
  if (paced === undefined) return { dueAtMs: nowMs }
  const { ordered, orderingKey } = paced.settings
  // Those matched before are ordered by what is at hand: a text in R2 is not read for it.
  const isKeyed = ordered && orderingKey !== null && event.body !== null
  const orderKey = isKeyed ? orderKeyOf(storedView(event), orderingKey) : ''
  return { dueAtMs: event.deliverAtMs ?? null, orderKey: ordered ? orderKey : null }
}

function storedView(event: StoredEvent) {
  return parseView(defaultPayload({ id: eventIdOf(event), type: event.type, body: event.body ?? '' }))
}

/** Tests go on: somebody waits for their answer. */
function waitingOf(
  claim: Claim,
  isWaiting: (pair: Pair) => boolean,
  termsOf: (event: StoredEvent, subscriptionNo: number) => Pick<WaitingRecord, 'dueAtMs' | 'orderKey'>,
): WaitingRecord[] {
  const events = new Map(claim.events.map((event) => [`${event.workspaceNo}/${event.seq}`, event]))
  return claim.pairs.filter(isWaiting).flatMap(({ subscriptionNo, workspaceNo, seq }) => {
    const event = events.get(`${workspaceNo}/${seq}`)
    return event === undefined || event.isTest
      ? []
      : [{ subscriptionNo, seq, type: event.type, isTest: false, ...termsOf(event, subscriptionNo) }]
  })
}

/** When to look at waiting deliveries: at once, when their hold ends, or, for paused ones, not before somebody resumes them. */
function wakesOf(
  waiting: readonly WaitingRecord[],
  holds: ReadonlyMap<number, number | null>,
  nowMs: number,
): Map<number, number> {
  return new Map(
    waiting.flatMap(({ subscriptionNo }): [number, number][] => {
      const heldUntilMs = holds.has(subscriptionNo) ? (holds.get(subscriptionNo) ?? null) : nowMs
      return heldUntilMs === null ? [] : [[subscriptionNo, heldUntilMs]]
    }),
  )
}
