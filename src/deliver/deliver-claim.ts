import { pairKey } from '../model/delivery.ts'
import { makeAttempt } from './attempt/attempt.ts'
import { type ClaimedDelivery, eventKey } from './attempt/claimed-delivery.ts'
import {
  admit,
  endRun,
  type Invocation,
  newRun,
  note,
  type Run,
  restIfCutShort,
  type WorkDeps,
  type WorkReport,
  whileInFlight,
} from './claim-run.ts'
import type { Claim } from './claims.sql.ts'

/**
 * Makes every attempt of a claim, within the invocation's slots, and records the outcomes. `forced` claims are of
 * deliveries that a person asked for. Rejects only when D1 fails.
 */
export async function deliverClaim(
  deps: WorkDeps,
  claim: Claim,
  claimExpiresAtMs: number,
  invocation: Invocation,
  { forced } = { forced: false },
): Promise<WorkReport> {
  const run = newRun(deps, claim, claimExpiresAtMs, invocation, { forced, isPaced: false })
  await Promise.all(
    deliveriesOf(claim).map(async (task) => {
      if (admit(run, task) === 'attempt') await deliverOne(run, task)
    }),
  )
  return await endRun(run, claim)
}

/** What became of a delivery: it has an outcome, is over without one, or is left as it was. */
export type Fate = { kind: 'attempted'; isOver: boolean } | { kind: 'left' }

/** Makes one attempt within the invocation's slots, if it may still start then, and notes what comes of it. */
export async function deliverOne(run: Run, task: ClaimedDelivery, isInTime = () => true): Promise<Fate> {
  const { subscription, event } = task
  return await run.invocation.slots.run(subscription, async (): Promise<Fate> => {
    if (!isInTime() || restIfCutShort(run, task)) return { kind: 'left' }
    const attempt = () =>
      whileInFlight(run, subscription.no, () =>
        makeAttempt(run.deps.attempt, { ...task, earlier: task.row, renderer: run.renderer }),
      )
    const report = await (event.bodyKey === null
      ? attempt()
      : run.invocation.largeSlots.run(subscription, attempt))
    note(run, task, report)
    run.buffer.attempt(report.record)
    return { kind: 'attempted', isOver: report.record.dueAtMs === null }
  })
}

/** The deliveries of a claim whose event and subscription are still there. */
export function deliveriesOf(claim: Claim): ClaimedDelivery[] {
  const events = new Map(claim.events.map((event) => [eventKey(event), event]))
  const subscriptions = new Map(claim.subscriptions.map((subscription) => [subscription.no, subscription]))
  const rows = new Map(claim.rows.map((row) => [pairKey(row), row]))
  return claim.pairs.flatMap((pair) => {
    const event = events.get(eventKey(pair))
    const subscription = subscriptions.get(pair.subscriptionNo)
    const row = rows.get(pairKey(pair))
    if (event === undefined || subscription === undefined) return []
    return [{ pair, event, subscription, attemptNo: (row?.attempts ?? 0) + 1, row: row ?? null }]
  })
}
