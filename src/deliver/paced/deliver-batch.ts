import { CRASHES_MAX } from '../../model/delivery.ts'
import { splitInHalf } from '../../shape/batch-payload.ts'
import { type AttemptRecord, answerFields } from '../attempt/attempt.ts'
import { type BatchReport, makeBatchAttempt } from '../attempt/batch-attempt.ts'
import { type ClaimedBatch, type ClaimedDelivery, orderKeyOf } from '../attempt/claimed-delivery.ts'
import { decide } from '../attempt/decide.ts'
import type { FailedMember } from '../attempt/payload/batch-renderer.ts'
import { type AttemptDeps, unsentAnswer } from '../attempt/send.ts'
import type { ClaimRun } from '../claim-run.ts'
import type { DeliveryOutcome } from '../delivery-lines.ts'
import {
  type BatchContent,
  type BatchPart,
  type BatchRecord,
  cutBatch,
  shrinkBatch,
  splitBatch,
} from '../settle/batch-outcomes.sql.ts'
import type { GrantGate } from './grant/grant-gate.ts'

/**
 * Consumers that a batch has cost, after which its members are tried one by one, just before they
 * would end. Until then it keeps its id: a consumer may have died after its request had arrived.
 */
const CRASHES_BEFORE_SPLIT = CRASHES_MAX - 1

/**
 * Makes the one request for a batch, when the gate lets it, and records the outcome of each member. Members that were
 * cancelled or have expired are left out.
 */
export async function deliverBatch(
  run: ClaimRun,
  batch: ClaimedBatch,
  members: readonly ClaimedDelivery[],
  gate: GrantGate,
): Promise<void> {
  const admitted = run.admitBatch(members)
  if (admitted.some((member) => member.admitted === 'left')) return
  const open = admitted.flatMap((member) => (member.admitted === 'attempt' ? [member.delivery] : []))
  const [first] = open
  if (first === undefined) return run.outcomes.batch(endOf(batch), [], [])
  if (open.length > 1 && open.some(({ row }) => (row?.crashes ?? 0) >= CRASHES_BEFORE_SPLIT)) {
    return await splitUp(run, batch, open)
  }
  const permit = await gate.admit()
  if (permit === null) return run.leave(open)
  const { subscription } = first
  try {
    await run.invocation.slots.run(subscription, async () => {
      if (!permit.tryStart() || run.putOff(first)) return run.leave(open)
      const isLarge = open.some(({ event }) => event.bodyKey !== null)
      const sent = asSent(batch, members, open)
      const report = await run.send({ subscription, isLarge }, () => attempt(run, sent, open))
      recordBatch(run, batch, open, report)
    })
  } finally {
    permit.release()
  }
}

async function splitUp(run: ClaimRun, batch: ClaimedBatch, open: readonly ClaimedDelivery[]): Promise<void> {
  run.hasSplit = true
  const { db, attempt } = run.deps
  const parts = open.map((delivery) => partOf([delivery]))
  await splitBatch(db, batch, parts, attempt.now())
}

/** The record of a batch whose members have all ended without a request. */
function endOf({ no, attempts }: ClaimedBatch): BatchRecord {
  return { no, n: attempts + 1, dueAtMs: null, payload: 'none', kept: null, parts: [], carried: null }
}

/** The kept bytes hold all members: with one of them left out they must be made anew. */
function asSent(
  batch: ClaimedBatch,
  members: readonly ClaimedDelivery[],
  open: readonly ClaimedDelivery[],
): ClaimedBatch {
  return open.length === members.length || batch.kept === null
    ? batch
    : { ...batch, payload: 'none', kept: null }
}

async function attempt(
  run: ClaimRun,
  batch: ClaimedBatch,
  members: readonly ClaimedDelivery[],
): Promise<BatchReport> {
  const { subscription } = members[0] as ClaimedDelivery
  const partOfSeqs = (seqs: readonly number[]) =>
    partOf(members.filter(({ event }) => seqs.includes(event.seq)))
  return await makeBatchAttempt(run.deps.attempt, {
    subscription,
    batch,
    members,
    renderer: run.renderer,
    shrink: (carried, overflow) => {
      run.hasSplit = true
      const { db, attempt } = run.deps
      const kept = partOfSeqs(carried)
      return subscription.settings.ordered
        ? cutBatch(db, batch.no, kept, overflow.at(-1) ?? 0)
        : shrinkBatch(db, batch.no, kept, partOfSeqs(overflow), attempt.now())
    },
  })
}

/** A list of members with the keys that it keeps busy. */
function partOf(deliveries: readonly ClaimedDelivery[]): BatchContent {
  const isOrdered = deliveries.some(({ subscription }) => subscription.settings.ordered)
  const keys = new Set(deliveries.map(orderKeyOf))
  return { members: deliveries.map(({ event }) => event.seq), orderKeys: isOrdered ? [...keys] : [] }
}

function recordBatch(
  run: ClaimRun,
  batch: ClaimedBatch,
  members: readonly ClaimedDelivery[],
  report: BatchReport,
): void {
  const { failed, success, dueAtMs, payload } = report
  const carriedSeqs = new Set(report.carried)
  const carried = members.filter(({ event }) => carriedSeqs.has(event.seq))
  const outcomes = carried.map((delivery, i) => outcomeOf(delivery, batch, report, i === 0))
  const faults = failed.flatMap((fault) => faultOutcome(run, members, fault, report.atMs))
  const parts = success || dueAtMs === null ? [] : partsOf(carried, batch, report)
  run.hasSplit ||= parts.length > 0
  const isOver = success || dueAtMs === null || parts.length > 0 || carried.length === 0
  run.outcomes.batch(
    {
      no: batch.no,
      n: batch.attempts + 1,
      dueAtMs: isOver ? null : dueAtMs,
      ...payload,
      parts,
      carried: failed.length > 0 && carried.length > 0 ? report.carried : null,
    },
    outcomes,
    faults,
  )
  const [first] = outcomes
  if (first !== undefined) run.observe({ ...report, record: first.record })
}

function outcomeOf(
  delivery: ClaimedDelivery,
  batch: ClaimedBatch,
  report: BatchReport,
  isFirst: boolean,
): DeliveryOutcome {
  const { event, subscription, attemptNo } = delivery
  const { response, ...fields } = report.fields
  const record: AttemptRecord = {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: false,
    attemptNo: attemptNo,
    success: report.success,
    dueAtMs: report.dueAtMs,
    atMs: report.atMs,
    ...fields,
    detail: report.detail,
    // One receiver's answer to a thousand events would be stored a thousand times.
    response: isFirst || (response?.length ?? 0) <= SHARED_RESPONSE_CHARS_MAX ? response : null,
    payload: 'none',
    kept: null,
    batchNo: batch.no,
    isCounted: isFirst,
  }
  return { delivery, record }
}

/** Longest answer that is stored with each member of a batch; longer ones only with the first. */
const SHARED_RESPONSE_CHARS_MAX = 256

/**
 * The parts that a failed batch goes on as: halves where its receiver finds it too large, with all attempts before them; where an
 * order is kept, one batch for each key, so that what fails holds no other key up, further along its retry policy.
 */
function partsOf(
  carried: readonly ClaimedDelivery[],
  batch: ClaimedBatch,
  { isTooLarge, dueAtMs }: BatchReport,
): BatchPart[] {
  const groups = isTooLarge ? splitInHalf(carried) : byKey(carried)
  const attempts = isTooLarge ? 0 : batch.attempts + 1
  return groups.length < 2
    ? []
    : groups.map((group) => ({ ...partOf(group), dueAtMs: dueAtMs ?? 0, attempts }))
}

function byKey(deliveries: readonly ClaimedDelivery[]): ClaimedDelivery[][] {
  if (!deliveries.some(({ subscription }) => subscription.settings.ordered)) return []
  return [...Map.groupBy(deliveries, orderKeyOf).values()]
}

function faultOutcome(
  run: ClaimRun,
  members: readonly ClaimedDelivery[],
  { seq, fault, message }: FailedMember,
  atMs: number,
): DeliveryOutcome[] {
  const delivery = members.find(({ event }) => event.seq === seq)
  if (delivery === undefined) return []
  return [{ delivery, record: nextAfterFault(run.deps.attempt, delivery, { fault, message, atMs }) }]
}

/** The outcome of a delivery that its batch had to leave out, as if it had been tried alone. */
export function nextAfterFault(
  deps: AttemptDeps,
  { subscription, event, attemptNo, row }: ClaimedDelivery,
  { fault, message, atMs }: { fault: 'template' | 'internal'; message: string; atMs: number },
): AttemptRecord {
  const answer = unsentAnswer({ fault, message, payload: null })
  const attemptsMade = attemptNo - (row?.replayBase ?? 0)
  const startedAtMs = row?.replayId ? deps.now() : event.acceptedAtMs
  const input = { subscription, type: event.type, isTest: false, attemptsMade, startedAtMs }
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: false,
    attemptNo: attemptNo,
    success: false,
    dueAtMs: decide(deps, input, answer).dueAtMs,
    atMs,
    ...answerFields(answer, false),
    detail: null,
    payload: 'none',
    kept: null,
    batchNo: null,
    isCounted: true,
  }
}
