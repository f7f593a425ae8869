import { splitInHalf } from '../../shape/batch-payload.ts'
import { type AttemptRecord, answerFields, dueAfter } from '../attempt/attempt.ts'
import { type BatchReport, makeBatchAttempt } from '../attempt/batch-attempt.ts'
import type { FailedMember } from '../attempt/batch-renderer.ts'
import { type ClaimedBatch, type ClaimedDelivery, orderKeyOf } from '../attempt/claimed-delivery.ts'
import { decide } from '../attempt/decide.ts'
import { type AttemptDeps, unsentAnswer } from '../attempt/send.ts'
import {
  admit,
  leave,
  noteOutcome,
  noteReceiver,
  type Run,
  restIfCutShort,
  whileInFlight,
} from '../claim-run.ts'
import {
  type BatchContent,
  type BatchPart,
  type BatchRecord,
  cutBatch,
  shrinkBatch,
  splitBatch,
} from '../settle/batch-outcomes.sql.ts'
import type { GrantGate } from './grant-gate.ts'

/** Consumers that a batch has cost, after which its members are tried one by one. */
const CRASHES_BEFORE_SPLIT = 2

/**
 * Makes the one request for a batch, when the gate lets it, and notes what comes of each member. Members that were
 * cancelled or have expired are left out.
 */
export async function deliverBatch(
  run: Run,
  batch: ClaimedBatch,
  members: readonly ClaimedDelivery[],
  gate: GrantGate,
): Promise<void> {
  const { db, now } = run.deps
  const admitted = admitAll(run, members)
  if (admitted.some(({ fate }) => fate === 'left')) return
  const open = admitted.flatMap(({ task, fate }) => (fate === 'attempt' ? [task] : []))
  const [first] = open
  if (first === undefined) return run.buffer.batch(endOf(batch), [])
  if (open.length > 1 && open.some(({ row }) => (row?.crashes ?? 0) >= CRASHES_BEFORE_SPLIT)) {
    run.report.hasSplit = true
    return await splitBatch(
      db,
      batch,
      open.map((task) => partOf([task])),
      now(),
    )
  }
  const pass = await gate.admit()
  if (pass === null) return leave(run, open)
  const { no } = first.subscription
  try {
    await run.invocation.slots.run(first.subscription, async () => {
      if (!pass.isInTime() || restIfCutShort(run, first)) return leave(run, open)
      const send = () => whileInFlight(run, no, () => attempt(run, asSent(batch, members, open), open))
      const isLarge = open.some(({ event }) => event.bodyKey !== null)
      const report = await (isLarge ? run.invocation.largeSlots.run(first.subscription, send) : send())
      note(run, batch, open, report)
    })
  } finally {
    pass.release()
  }
}

/** A batch is one request: where a receiver is probed its members share the one probe. */
function admitAll(run: Run, members: readonly ClaimedDelivery[]) {
  const isProbed = members.some(({ subscription }) => run.probed.has(subscription.no))
  return members.map((task) => {
    if (!isProbed) run.probed.delete(task.subscription.no)
    return { task, fate: admit(run, task) }
  })
}

/** What is written of a batch whose members have all ended without a request, together with their outcomes. */
function endOf({ no, attempts }: ClaimedBatch): BatchRecord {
  return { no, n: attempts + 1, dueAtMs: null, payload: 'none', kept: null, parts: [], carried: null }
}

/** What was kept holds all members: with one of them left out it must be made anew. */
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
  run: Run,
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
      run.report.hasSplit = true
      const { db, now } = run.deps
      const kept = partOfSeqs(carried)
      return subscription.settings.ordered
        ? cutBatch(db, batch.no, kept, overflow.at(-1) ?? 0)
        : shrinkBatch(db, batch.no, kept, partOfSeqs(overflow), now())
    },
  })
}

/** A list of members with the keys that it keeps busy. */
function partOf(tasks: readonly ClaimedDelivery[]): BatchContent {
  const isOrdered = tasks.some(({ subscription }) => subscription.settings.ordered)
  const keys = new Set(tasks.map(orderKeyOf))
  return { members: tasks.map(({ event }) => event.seq), orderKeys: isOrdered ? [...keys] : [] }
}

function note(run: Run, batch: ClaimedBatch, members: readonly ClaimedDelivery[], report: BatchReport): void {
  const { carried, failed, success, dueAtMs, payload } = report
  const carriedSet = new Set(carried)
  const carriedTasks = members.filter(({ event }) => carriedSet.has(event.seq))
  const records = carriedTasks.map((task, i) => recordOf(task, batch, report, i === 0))
  const faults = failed.flatMap((fault) => faultRecord(run, members, fault, report.atMs))
  const parts = success || dueAtMs === null ? [] : partsOf(carriedTasks, batch, report)
  run.report.hasSplit ||= parts.length > 0
  const isOver = success || dueAtMs === null || parts.length > 0 || carried.length === 0
  run.buffer.batch(
    {
      no: batch.no,
      n: batch.attempts + 1,
      dueAtMs: isOver ? null : dueAtMs,
      ...payload,
      parts,
      carried: failed.length > 0 && carried.length > 0 ? carried : null,
    },
    [...records, ...faults.map(({ record }) => record)],
  )
  const [record] = records
  if (record !== undefined) noteReceiver(run, { ...report, record })
  for (const [i, task] of carriedTasks.entries()) noteOutcome(run, task, records[i] as AttemptRecord)
  for (const { task, record: fault } of faults) noteOutcome(run, task, fault)
}

function recordOf(
  task: ClaimedDelivery,
  batch: ClaimedBatch,
  report: BatchReport,
  isFirst: boolean,
): AttemptRecord {
  const { event, subscription, attemptNo } = task
  const { response, ...fields } = report.fields
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: false,
    attemptNo: attemptNo,
    success: report.success,
    dueAtMs: report.dueAtMs,
    atMs: report.atMs,
    ...fields,
    // One receiver's answer to a thousand events would be stored a thousand times.
    response: isFirst || (response?.length ?? 0) <= SHARED_RESPONSE_CHARS_MAX ? response : null,
    payload: 'none',
    kept: null,
    batchNo: batch.no,
    isCounted: isFirst,
  }
}

/** Longest answer that is stored with each member of a batch; longer ones only with the first. */
const SHARED_RESPONSE_CHARS_MAX = 256

/**
 * What a failed batch goes on as: halves where its receiver finds it too large, with all attempts before them; where an
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

function byKey(tasks: readonly ClaimedDelivery[]): ClaimedDelivery[][] {
  if (!tasks.some(({ subscription }) => subscription.settings.ordered)) return []
  return [...Map.groupBy(tasks, orderKeyOf).values()]
}

function faultRecord(
  run: Run,
  members: readonly ClaimedDelivery[],
  { seq, fault, message }: FailedMember,
  atMs: number,
): { task: ClaimedDelivery; record: AttemptRecord }[] {
  const task = members.find(({ event }) => event.seq === seq)
  if (task === undefined) return []
  return [{ task, record: nextAfterFault(run.deps.attempt, task, { fault, message, atMs }) }]
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
  const asked = { subscription, type: event.type, isTest: false, attemptsMade, startedAtMs }
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: false,
    attemptNo: attemptNo,
    success: false,
    dueAtMs: dueAfter(subscription, decide(deps, asked, answer), false),
    atMs,
    ...answerFields(answer, false),
    payload: 'none',
    kept: null,
    batchNo: null,
    isCounted: true,
  }
}
