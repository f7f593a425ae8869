import { type Pair, pairKey, type StoredEvent } from '../domain/delivery.ts'
import { nextHealth, type Observation } from '../domain/health.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { Claim, ClaimedRow } from '../storage/claims.ts'
import type { AttemptRecord } from '../storage/settlement.ts'
import { type AttemptDeps, makeAttempt } from './attempt.ts'
import { TOKEN_TIMEOUT_MS } from './oauth-token.ts'
import { PayloadRenderer } from './payload.ts'
import { SettleBuffer, type SettleFn } from './settle-buffer.ts'
import type { Slots } from './slots.ts'

export type WorkDeps = {
  attempt: AttemptDeps
  settle: SettleFn
  now: () => number
}

/** What consumers of one invocation share. */
export type Invocation = {
  slots: Slots
  /** Bounds how many large payloads are in memory at once. */
  largeSlots: Slots
  /** Receivers that ran into their timeout in this invocation; they get no further attempt in it. */
  cutShort: Set<number>
}

/** What came of a claim: when failed deliveries are due again, by subscription. */
export type WorkReport = { attempts: number; delivered: number; dueMs: Map<number, number> }

/** A delivery cut short without an attempt is looked at again after this time. */
const REST_MS = 30_000
/** No attempt starts when it could outlive its claim. */
const CLAIM_MARGIN_MS = 5_000

type Task = {
  pair: Pair
  event: StoredEvent
  subscription: Subscription
  n: number
  row: ClaimedRow | null
}

/** Makes every attempt of a claim, within the invocation's slots, and records the outcomes. Rejects only when D1 fails. */
export async function workClaim(
  deps: WorkDeps,
  claim: Claim,
  claimExpiresAtMs: number,
  invocation: Invocation,
): Promise<WorkReport> {
  const buffer = new SettleBuffer(claim.id, deps.settle)
  const seen = new Map<number, Observation>()
  const report: WorkReport = { attempts: 0, delivered: 0, dueMs: new Map() }
  const renderer = new PayloadRenderer(deps.attempt.bodies)
  const tasks = tasksOf(claim)
  await Promise.all(
    tasks.map(async (task) => {
      if (skipIfUnwanted(task, buffer)) return
      await invocation.slots.run(async () => {
        if (restIfCutShort(deps, task, claimExpiresAtMs, invocation, buffer, report)) return
        const { subscription, event, n, row } = task
        const attempt = () => makeAttempt(deps.attempt, { subscription, event, n, earlier: row, renderer })
        const record = await (event.bodyKey === null ? attempt() : invocation.largeSlots.run(attempt))
        if (record.error?.startsWith('timeout')) invocation.cutShort.add(subscription.no)
        note(seen, record)
        noteReport(report, record)
        buffer.attempt(record)
      })
    }),
  )
  await buffer.finish(healthChanges(claim.subscriptions, seen))
  return report
}

function tasksOf(claim: Claim): Task[] {
  const events = new Map(claim.events.map((event) => [eventKey(event), event]))
  const subscriptions = new Map(claim.subscriptions.map((subscription) => [subscription.no, subscription]))
  const rows = new Map(claim.rows.map((row) => [pairKey(row), row]))
  return claim.pairs.flatMap((pair) => {
    const event = events.get(eventKey(pair))
    const subscription = subscriptions.get(pair.subscriptionNo)
    const row = rows.get(pairKey(pair))
    if (event === undefined || subscription === undefined) return []
    return [{ pair, event, subscription, n: (row?.attempts ?? 0) + 1, row: row ?? null }]
  })
}

function eventKey({ workspaceNo, seq }: { workspaceNo: number; seq: number }): string {
  return `${workspaceNo}/${seq}`
}

function skipIfUnwanted({ event, subscription }: Task, buffer: SettleBuffer): boolean {
  const reason =
    subscription.deletedAtMs !== null ? 'deleted' : !subscription.active && !event.isTest ? 'disabled' : null
  if (reason === null) return false
  buffer.skip({
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: event.isTest,
    reason,
  })
  return true
}

/** Leaves a delivery for later: its receiver hangs, or the claim would not last. Rows that exist stay due. */
function restIfCutShort(
  deps: WorkDeps,
  { event, subscription, row }: Task,
  claimExpiresAtMs: number,
  { cutShort }: Invocation,
  buffer: SettleBuffer,
  report: WorkReport,
): boolean {
  const nowMs = deps.now()
  const outlives = nowMs + longestAttemptMs(subscription) + CLAIM_MARGIN_MS > claimExpiresAtMs
  if (!outlives && !cutShort.has(subscription.no)) return false
  if (row === null) {
    const dueAtMs = nowMs + REST_MS
    const { seq, type, isTest } = event
    buffer.rest({ subscriptionNo: subscription.no, seq, type, isTest, dueAtMs })
    noteDue(report, subscription.no, dueAtMs)
  }
  return true
}

/** An attempt may ask for an access token, be refused, ask for another one and try again. */
function longestAttemptMs({ settings, sealed }: Subscription): number {
  const timeoutMs = settings.timeoutSeconds * 1000
  return sealed.authCipher === null ? timeoutMs : 2 * (timeoutMs + TOKEN_TIMEOUT_MS)
}

function note(seen: Map<number, Observation>, record: AttemptRecord): void {
  const before = seen.get(record.subscriptionNo) ?? { successes: 0, failures: 0, timeouts: 0, slowestMs: 0 }
  seen.set(record.subscriptionNo, {
    successes: before.successes + (record.success ? 1 : 0),
    failures: before.failures + (record.success ? 0 : 1),
    timeouts: before.timeouts + (record.error?.startsWith('timeout') ? 1 : 0),
    slowestMs: Math.max(before.slowestMs, record.latencyMs),
  })
}

function noteReport(report: WorkReport, record: AttemptRecord): void {
  report.attempts++
  if (record.success) report.delivered++
  if (record.dueAtMs !== null) noteDue(report, record.subscriptionNo, record.dueAtMs)
}

function noteDue(report: WorkReport, subscriptionNo: number, dueAtMs: number): void {
  report.dueMs.set(
    subscriptionNo,
    Math.min(dueAtMs, report.dueMs.get(subscriptionNo) ?? Number.POSITIVE_INFINITY),
  )
}

function healthChanges(
  subscriptions: readonly Subscription[],
  seen: ReadonlyMap<number, Observation>,
): { subscriptionNo: number; health: Subscription['health'] }[] {
  return subscriptions.flatMap(({ no, health }) => {
    const observation = seen.get(no)
    const next = observation === undefined ? health : nextHealth(health, observation)
    return next === health ? [] : [{ subscriptionNo: no, health: next }]
  })
}
