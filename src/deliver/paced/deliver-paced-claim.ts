import { joinAll } from '../../base/concurrency/wait.ts'
import { type ClaimedDelivery, orderKeyOf } from '../attempt/claimed-delivery.ts'
import { ClaimRun, type Invocation, type WorkDeps, type WorkReport } from '../claim-run.ts'
import { type Claim, releaseStatement } from '../claims.sql.ts'
import { deliverBatch } from './deliver-batch.ts'
import type { GrantGate } from './grant-gate.ts'
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
  const groups = batches.map((batch) => ({ batch, members: batch.members.flatMap(take) }))
  const works = [
    ...groups.map(({ batch, members }) => deliverBatch(run, batch, members, gate)),
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

/** Deliveries that must go one after the other. */
function chainsOf(deliveries: readonly ClaimedDelivery[], { subscriptions }: Claim): ClaimedDelivery[][] {
  const isOrdered = subscriptions.some(({ settings }) => settings.ordered)
  if (!isOrdered) return deliveries.map((delivery) => [delivery])
  return [...Map.groupBy(deliveries, orderKeyOf).values()]
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
      const fate = await run.attempt(delivery, permit.isInTime)
      if (fate.kind === 'left') return run.leave([delivery])
      if (!fate.isOver) return
    } finally {
      permit.release()
    }
  }
}
