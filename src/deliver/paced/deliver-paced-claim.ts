import { joinAll } from '../../base/concurrency/wait.ts'
import { type ClaimedDelivery, orderKeyOf } from '../attempt/claimed-delivery.ts'
import {
  admit,
  endRun,
  type Invocation,
  leave,
  newRun,
  type Run,
  type WorkDeps,
  type WorkReport,
} from '../claim-run.ts'
import { type Claim, releaseStatement } from '../claims.sql.ts'
import { deliveriesOf, deliverOne } from '../deliver-claim.ts'
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
  const run = newRun(deps, claim, claimExpiresAtMs, invocation, { forced: false, isPaced: true })
  const tasks = new Map(deliveriesOf(claim).map((task) => [task.event.seq, task]))
  const take = (seq: number) => {
    const task = tasks.get(seq)
    tasks.delete(seq)
    return task === undefined ? [] : [task]
  }
  const groups = batches.map((batch) => ({ batch, members: batch.members.flatMap(take) }))
  const works = [
    ...groups.map(({ batch, members }) => deliverBatch(run, batch, members, gate)),
    ...chainsOf([...tasks.values()], claim).map((chain) => deliverChain(run, chain, gate)),
  ]
  await joinAll([...works, releaseLeft(run, claim, gate)])
  return await endRun(run, claim)
}

/** Others may take what could not start while the rest is still under way, which can be long. */
async function releaseLeft({ deps, left }: Run, { id, pairs }: Claim, gate: GrantGate): Promise<void> {
  await gate.drained()
  if (left.size === 0 || gate.running === 0) return
  const kept = pairs.filter(({ seq }) => !left.has(seq))
  await releaseStatement(deps.db, id, kept).run()
}

/** Deliveries that must go one after the other. */
function chainsOf(tasks: readonly ClaimedDelivery[], { subscriptions }: Claim): ClaimedDelivery[][] {
  const isOrdered = subscriptions.some(({ settings }) => settings.ordered)
  if (!isOrdered) return tasks.map((task) => [task])
  return [...Map.groupBy(tasks, orderKeyOf).values()]
}

/** What is left of a chain after a failure waits in D1 as it was. */
async function deliverChain(run: Run, chain: readonly ClaimedDelivery[], gate: GrantGate): Promise<void> {
  for (const task of chain) {
    const admitted = admit(run, task)
    if (admitted === 'ended') continue
    if (admitted === 'left') return
    const pass = await gate.admit()
    if (pass === null) return leave(run, [task])
    try {
      const fate = await deliverOne(run, task, pass.isInTime)
      if (fate.kind === 'left') return leave(run, [task])
      if (!fate.isOver) return
    } finally {
      pass.release()
    }
  }
}
