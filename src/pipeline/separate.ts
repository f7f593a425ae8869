import type { Pair } from '../domain/delivery.ts'
import type { EventsHint } from '../queue/message.ts'
import { type Claim, giveUpClaim, releaseStatement } from '../storage/claims.ts'
import { type RestRecord, restStatement } from '../storage/settlement.ts'

export type SeparateDeps = {
  db: D1Database
  now: () => number
  /** Sends hints on to the queue of unproven receivers; null where this is that queue. */
  forwardUnproven: ((hints: EventsHint[]) => Promise<void>) | null
  wake: (dueMs: ReadonlyMap<number, number>) => Promise<void>
}

/**
 * Takes out of a claim what must not share this queue's consumers: deliveries to suspect receivers rest in D1 as due
 * and go the way of retries, those to unproven ones go to a queue of their own, with all that `units` still owe them:
 * from then on they are `excluded`, or the next claim would take them again. Answers the claim with what is left.
 */
export async function separate(
  deps: SeparateDeps,
  claim: Claim,
  units: readonly EventsHint[],
  excluded: Set<number>,
): Promise<Claim> {
  const healthOf = new Map(claim.subscriptions.map(({ no, health }) => [no, health]))
  const isSuspect = (pair: Pair) => healthOf.get(pair.subscriptionNo) === 'suspect'
  const isForwarded = (pair: Pair) =>
    deps.forwardUnproven !== null && healthOf.get(pair.subscriptionNo) === 'unproven'
  const suspect = claim.pairs.filter(isSuspect)
  const unproven = claim.pairs.filter(isForwarded)
  if (suspect.length === 0 && unproven.length === 0) return claim
  const kept = claim.pairs.filter((pair) => !isSuspect(pair) && !isForwarded(pair))
  const nowMs = deps.now()
  const rests = restsOf(claim, suspect, nowMs)
  try {
    await deps.db.batch([
      ...(rests.length > 0 ? [restStatement(deps.db, rests)] : []),
      releaseStatement(deps.db, claim.id, kept),
    ])
    if (unproven.length > 0) await deps.forwardUnproven?.(hintsFor(unproven, units))
    for (const { subscriptionNo } of unproven) excluded.add(subscriptionNo)
    if (rests.length > 0) await deps.wake(new Map(rests.map(({ subscriptionNo }) => [subscriptionNo, nowMs])))
  } catch (error) {
    await giveUpClaim(deps.db, claim.id)
    throw error
  }
  return { ...claim, pairs: kept }
}

function restsOf(claim: Claim, pairs: readonly Pair[], dueAtMs: number): RestRecord[] {
  const events = new Map(claim.events.map((event) => [`${event.workspaceNo}/${event.seq}`, event]))
  return pairs.flatMap(({ subscriptionNo, workspaceNo, seq }) => {
    const event = events.get(`${workspaceNo}/${seq}`)
    return event === undefined
      ? []
      : [{ subscriptionNo, seq, type: event.type, isTest: event.isTest, dueAtMs }]
  })
}

function hintsFor(pairs: readonly Pair[], units: readonly EventsHint[]): EventsHint[] {
  return [...Map.groupBy(pairs, ({ workspaceNo }) => workspaceNo)].map(([workspaceNo, own]) => {
    const ranges = units.filter((unit) => unit.workspaceNo === workspaceNo)
    return {
      v: 1,
      kind: 'events',
      workspaceNo,
      firstSeq: Math.min(...ranges.map(({ firstSeq }) => firstSeq)),
      lastSeq: Math.max(...ranges.map(({ lastSeq }) => lastSeq)),
      subscriptions: [...new Set(own.map(({ subscriptionNo }) => subscriptionNo))],
    }
  })
}
