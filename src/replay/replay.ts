import * as z from 'zod'
import type { DeliveryState } from '../model/delivery.ts'
import { patternMatches } from '../model/event-type.ts'

/** Outcomes of past deliveries that a replay may select. */
export const replayableStatusSchema = z.enum(['failed', 'skipped', 'success'])

const selectionSchema = z.object({
  kind: z.literal('subscription'),
  statuses: z.array(replayableStatusSchema),
  /** Patterns; null for all types. */
  events: z.array(z.string()).nullable(),
  acceptedFromMs: z.number().nullable(),
  acceptedToMs: z.number().nullable(),
  backfill: z.boolean(),
  ratePerSecond: z.number().nullable(),
})

/**
 * The scope of a replay, as stored: a selection of one subscription's past, one event to those it
 * was owed to (`webhooks`: only these), or one delivery.
 */
export const replayScopeSchema = z.discriminatedUnion('kind', [
  selectionSchema,
  z.object({
    kind: z.literal('event'),
    seq: z.number(),
    eventId: z.string(),
    webhooks: z.array(z.object({ id: z.string(), no: z.number() })).nullable(),
  }),
  z.object({ kind: z.literal('delivery'), seq: z.number(), eventId: z.string() }),
])
export type ReplayScope = z.infer<typeof replayScopeSchema>
export type ReplaySelection = z.infer<typeof selectionSchema>
/** States of a replay; the order is part of the schema. */
export const REPLAY_STATES = ['running', 'completed', 'cancelled', 'failed'] as const
export type ReplayState = (typeof REPLAY_STATES)[number]

/** The stored number of a state. */
export function replayStateNumber(state: ReplayState): number {
  return REPLAY_STATES.indexOf(state)
}

/**
 * The walk of a replay's steps: along the failed rows of a subscription, along all its rows, along
 * the workspace's events (also those without a row), or along its subscriptions.
 */
export type ReplayWalk = 'failures' | 'rows' | 'events' | 'subscriptions'

/** Chooses the cheapest walk that passes everything in a scope. */
export function walkOf(scope: ReplayScope): ReplayWalk {
  if (scope.kind === 'event') return 'subscriptions'
  if (scope.kind === 'delivery') return 'rows'
  if (scope.backfill || scope.statuses.includes('skipped')) return 'events'
  return scope.statuses.includes('success') ? 'rows' : 'failures'
}

/** One event and one subscription on a replay's walk. */
export type ReplayCandidate = {
  /** The place of the walk once this candidate has been looked at. */
  position: number
  subscriptionNo: number
  seq: number
  type: string
  /** Null when the event is gone. */
  acceptedAtMs: number | null
  isTest: boolean
  isDispatch: boolean
  /** True if the event was cancelled or erased, or the subscription takes none any more. */
  isStopped: boolean
  /** The delivery's row; null when there is none. */
  row: { state: DeliveryState; hasEnded: boolean; replayNo: number | null } | null
  /**
   * The event's fan-out: it is owed, it passed by while the subscription was disabled, or neither.
   */
  fanout: 'owed' | 'passed_by' | null
  /** Characters of the event's content, where they may have to be read. */
  contentChars: number
}

/**
 * The end of a candidate: its row is made due again, it gets a row, it gets one if the subscription
 * as it is now wants the event, or nothing.
 */
export type ReplayVerdict = 'again' | 'new' | 'new_if_wanted' | null

/** Decides about one candidate. A row that this replay, `replayNo`, has made due is left alone. */
export function replayVerdict(
  candidate: ReplayCandidate,
  scope: ReplayScope,
  replayNo: number | null,
): ReplayVerdict {
  const { row, fanout, acceptedAtMs, isStopped, isTest, isDispatch } = candidate
  if (acceptedAtMs === null || isStopped) return null
  if (scope.kind === 'subscription' && (isTest || !isSelected(scope, candidate.type, acceptedAtMs)))
    return null
  return row === null ? missingVerdict(scope, fanout, isDispatch) : rowVerdict(scope, row, replayNo)
}

function rowVerdict(
  scope: ReplayScope,
  row: NonNullable<ReplayCandidate['row']>,
  replayNo: number | null,
): ReplayVerdict {
  const isOwn = replayNo !== null && row.replayNo === replayNo
  return row.hasEnded && !isOwn && namesState(scope, row.state) ? 'again' : null
}

/**
 * Decides about a missing row. An owed one has its first attempt ahead; an event that passed by a
 * disabled subscription counts as skipped.
 */
function missingVerdict(
  scope: ReplayScope,
  fanout: ReplayCandidate['fanout'],
  isDispatch: boolean,
): ReplayVerdict {
  if (fanout === 'owed') return null
  if (fanout === 'passed_by') return namesState(scope, 'skipped') ? 'new' : null
  return scope.kind === 'subscription' && scope.backfill && !isDispatch ? 'new_if_wanted' : null
}

function isSelected(
  { events, acceptedFromMs, acceptedToMs }: ReplaySelection,
  type: string,
  acceptedAtMs: number,
): boolean {
  if (acceptedAtMs < (acceptedFromMs ?? 0) || acceptedAtMs > (acceptedToMs ?? Number.POSITIVE_INFINITY))
    return false
  return events === null || events.some((pattern) => patternMatches(pattern, type))
}

function namesState(scope: ReplayScope, state: DeliveryState): boolean {
  if (state === 'pending') return false
  return scope.kind !== 'subscription' || scope.statuses.includes(state)
}

/** True for a replay of one of some subscriptions, or of one event to some that are all among them. */
export function isReplayOf(
  { subscriptionNo, scope }: { subscriptionNo: number | null; scope: ReplayScope },
  subscriptionNos: readonly number[],
): boolean {
  const own = new Set(subscriptionNos)
  if (subscriptionNo !== null) return own.has(subscriptionNo)
  const named = scope.kind === 'event' ? (scope.webhooks ?? []) : []
  return named.length > 0 && named.every(({ no }) => own.has(no))
}
