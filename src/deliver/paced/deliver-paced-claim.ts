import { joinAll } from '../../base/concurrency/wait.ts'
import { waitsUntil } from '../../model/event-timing.ts'
import { type ClaimedDelivery, orderKeyOf } from '../attempt/claimed-delivery.ts'
import { ClaimRun, type Invocation, type WorkDeps, type WorkReport } from '../claim-run.ts'
import { type Claim, releaseStatement } from '../claims.sql.ts'
import { deliverBatch } from './deliver-batch.ts'
import type { GrantGate } from './grant/grant-gate.ts'
import type { PacedClaim } from './paced-claims.sql.ts'

/**
 * Makes the requests of a paced claim as the gate lets them start: batches side by side, single deliveries side by side
 * or, where an order is kept, one key's after one another, up to the first that fails. Records the outcomes. Rejects
 * only when D1 fails.
 */
export async function deliverPacedClaim(
  deps: WorkDeps,
  { claim, batches }: PacedClaim,
  claimExpiresAtMs: number,
  invocation: Invocation,
  gate: GrantGate,
): Promise<WorkReport> {
  const run = new ClaimRun(deps, claim, { expiresAtMs: claimExpiresAtMs, invocation, isPaced: true })
  const alone = new Map(run.deliveries.map((delivery) => [delivery.event.seq, delivery]))
  const take = (seq: number) => {
    const delivery = alone.get(seq)
    alone.delete(seq)
    return delivery === undefined ? [] : [delivery]
  }
  const nowMs = deps.attempt.now()
  const groups = batches.map((batch) => ({ batch, members: batch.members.flatMap(take) }))
  // They choose their times first: the others take those that are left.
  const scheduled = [...alone.values()].filter(({ event }) => waitsUntil(event, nowMs) !== null)
  for (const { event } of scheduled) alone.delete(event.seq)
  const works = [
    ...groups.map(({ batch, members }) => deliverBatch(run, batch, members, gate)),
    ...scheduled.map((delivery) => deliverScheduled(run, delivery, gate)),
    ...chainsOf([...alone.values()], claim).map((chain) => deliverChain(run, chain, gate)),
  ]
  await joinAll([...works, releaseLeft(run, claim, gate)])
  return await run.finish()
}

/** Others may take what could not start while the rest is still under way, which can be long. */
async function releaseLeft({ deps, left }: ClaimRun, { id, pairs }: Claim, gate: GrantGate): Promise<void> {
  await gate.drained()
  if (left.size === 0 || gate.running === 0) return
  const kept = pairs.filter(({ seq }) => !left.has(seq))
  await releaseStatement(deps.db, id, kept).run()
}

/** Delivers an event that was claimed ahead of its `deliverAt`, at the first time after it. */
async function deliverScheduled(run: ClaimRun, delivery: ClaimedDelivery, gate: GrantGate): Promise<void> {
  const permit = await gate.admit(delivery.event.deliverAtMs ?? 0)
  if (permit === null) return run.leave([delivery])
  try {
    if (run.admit(delivery) !== 'attempt') return
    const fate = await run.attempt(delivery, permit.tryStart)
    if (fate.kind === 'left') run.leave([delivery])
  } finally {
    permit.release()
  }
}

/** Deliveries that must go one after the other. */
function chainsOf(deliveries: readonly ClaimedDelivery[], { subscriptions }: Claim): ClaimedDelivery[][] {
  const isOrdered = subscriptions.some(({ settings }) => settings.ordered)
  // Those whose time has come go before a backlog that has none.
  if (!isOrdered) return deliveries.toSorted(scheduledFirst).map((delivery) => [delivery])
  return [...Map.groupBy(deliveries, orderKeyOf).values()]
}

function scheduledFirst({ event: one }: ClaimedDelivery, { event: other }: ClaimedDelivery): number {
  return Number(one.deliverAtMs === null) - Number(other.deliverAtMs === null)
}

/** Delivers a chain up to its first failure; the deliveries behind it wait in D1 as they were. */
async function deliverChain(
  run: ClaimRun,
  chain: readonly ClaimedDelivery[],
  gate: GrantGate,
): Promise<void> {
  for (const delivery of chain) {
    const admitted = run.admit(delivery)
    if (admitted === 'ended') continue
    if (admitted === 'left') return
    const permit = await gate.admit()
    if (permit === null) return run.leave([delivery])
    try {
      const fate = await run.attempt(delivery, permit.tryStart)
      if (fate.kind === 'left') return run.leave([delivery])
      if (!fate.isOver) return
    } finally {
      permit.release()
    }
  }
}
