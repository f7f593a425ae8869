import { joinAll } from '../base/concurrency/wait.ts'
import { eventIdOf, type Pair, pairKey, type StoredEvent } from '../model/delivery.ts'
import { defaultPayload } from '../model/event.ts'
import { orderKeyOf } from '../pacing/order-key.ts'
import { holdOf } from '../receiver/hold.ts'
import { parseView } from '../store/event-text.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { type Claim, giveUpClaim, releaseStatement } from './claims.sql.ts'
import type { ConsumerDeps } from './consumer-deps.ts'
import { type WaitingRecord, waitingStatement } from './settle/settle.sql.ts'

type Receivers = 'proven' | 'unproven'

/**
 * Diverts deliveries that could hold up the healthy receivers of this queue, and returns the claim without them:
 * - to a suspect or slow receiver: due now in D1, so that the retries queue makes them;
 * - to a held or paced one: waiting in D1 until the hold ends or the pacer calls;
 * - to an unproven one: to the queue of unproven receivers.
 */
export async function divert(deps: ConsumerDeps, claim: Claim, receivers: Receivers): Promise<Claim> {
  const diverted = divertedOf(deps, claim, receivers)
  const { waiting, unproven, kept } = diverted
  deps.work.unproven.seen(
    unproven.map(({ subscriptionNo }) => subscriptionNo),
    diverted.nowMs,
  )
  if (waiting.length === 0 && unproven.length === 0) return claim
  try {
    await deps.db.batch([
      ...(waiting.length > 0 ? [waitingStatement(deps.db, waiting)] : []),
      releaseStatement(deps.db, claim.id, kept),
    ])
    await hintDiverted(deps, diverted)
  } catch (error) {
    await giveUpClaim(deps.db, claim.id)
    throw error
  }
  return { ...claim, pairs: kept }
}

/**
 * Hands on what goes to receivers that were seen to be unproven just now; answers the other pairs. Those that are busy
 * are left to a claim, which lets a hundred wait at once.
 */
export async function handOnUnproven(deps: ConsumerDeps, pairs: readonly Pair[]): Promise<readonly Pair[]> {
  const { work } = deps
  const nowMs = deps.now()
  const { unproven = [], others = [] } = Object.groupBy(pairs, ({ subscriptionNo: no }) =>
    work.unproven.has(no, nowMs) && !work.inFlight.isBusy(no, nowMs) ? 'unproven' : 'others',
  )
  if (unproven.length > 0) await handOn(deps, unproven)
  return others
}

/** Hands the first deliveries to each receiver on to the unproven queue; others wait a moment for its answer. */
async function handOn({ hints, work, now }: ConsumerDeps, pairs: readonly Pair[]): Promise<void> {
  const nowMs = now()
  const isPending = ({ subscriptionNo: no }: Pair) =>
    work.unproven.isPending(no, nowMs, work.inFlight.answeredAtMs(no))
  const { first = [], later = [] } = Object.groupBy(pairs, (pair) => (isPending(pair) ? 'later' : 'first'))
  await joinAll([hints.unprovenFirstAttempts(first), hints.firstAttemptsSoon(later)])
  work.unproven.handedOn(
    first.map(({ subscriptionNo }) => subscriptionNo),
    nowMs,
  )
}

type Diverted = {
  nowMs: number
  holds: ReadonlyMap<number, number | null>
  paced: ReadonlyMap<number, Subscription>
  waiting: readonly WaitingRecord[]
  unproven: readonly Pair[]
  kept: Pair[]
}

function divertedOf({ now, work }: ConsumerDeps, claim: Claim, receivers: Receivers): Diverted {
  const nowMs = now()
  const holds = holdsOf(claim, nowMs)
  const paced = pacedOf(claim)
  const healthOf = new Map(claim.subscriptions.map(({ no, health }) => [no, health]))
  const mustWait = ({ subscriptionNo: no }: Pair) =>
    paced.has(no) || holds.has(no) || healthOf.get(no) === 'suspect' || work.inFlight.isBusy(no, nowMs)
  const waiting = waitingOf(claim, mustWait, (event, no) => waitingFor(paced.get(no), event, nowMs))
  const waitingKeys = new Set(waiting.map(pairKey))
  const others = claim.pairs.filter((pair) => !waitingKeys.has(pairKey(pair)))
  const isForwarded = ({ subscriptionNo: no }: Pair) =>
    receivers === 'proven' && healthOf.get(no) === 'unproven'
  const unproven = others.filter(isForwarded)
  return { nowMs, holds, paced, waiting, unproven, kept: others.filter((pair) => !isForwarded(pair)) }
}

async function hintDiverted(
  deps: ConsumerDeps,
  { nowMs, holds, paced, waiting, unproven }: Diverted,
): Promise<void> {
  const { hints } = deps
  if (unproven.length > 0) await handOn(deps, unproven)
  await hints.dueAt(wakesOf(waiting, holds, nowMs))
  const waitingNos = new Set(waiting.map(({ subscriptionNo }) => subscriptionNo))
  const pacedNos = [...waitingNos].filter((no) => paced.has(no))
  if (pacedNos.length > 0) await hints.paced(pacedNos.map((no) => ({ no })))
}

/** The ends of the holds of a claim's subscriptions, in unix milliseconds; null for paused ones. */
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
  // A text in R2 is not read for the key of an event that was matched before the order was asked for.
  const isKeyed = ordered && orderingKey !== null && event.body !== null
  const orderKey = isKeyed ? orderKeyOf(storedView(event), orderingKey) : ''
  return { dueAtMs: event.deliverAtMs ?? null, orderKey: ordered ? orderKey : null }
}

function storedView(event: StoredEvent) {
  return parseView(defaultPayload({ id: eventIdOf(event), type: event.type, body: event.body ?? '' }))
}

/** Tests are not diverted: a person waits for their answer. */
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

/** Wakes for waiting deliveries: at once or when their hold ends. Paused ones have none: resuming wakes them. */
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
