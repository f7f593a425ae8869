import { joinAll } from '../../base/concurrency/wait.ts'
import { pacerTermsOf } from '../../pacing/settings.ts'
import { readSubscription } from '../../subscription/subscriptions.sql.ts'
import type { PacedDeps, PacedEntry, PacedWork } from './deps.ts'
import { callPacer, EMPTY_REPORT, type PacerReport, type Reply, readWaitingFor } from './pacer-calls.ts'
import { serveOrdered } from './serve-ordered.ts'
import { type Serving, useGrant } from './use-grant.ts'

/**
 * Serves one subscription as long as its pacer lets it: asks, binds and claims, makes the requests, and tells the pacer
 * what is left, which is at the same time the next question. Rejects when D1 or the pacer fails.
 */
export async function serveLimited(deps: PacedDeps, entry: PacedEntry, work: PacedWork): Promise<void> {
  const { no } = entry
  if (entry.isOrdered) return await serveOrdered(deps, no, work)
  const placesMax = work.invocation.slots.count
  const told: PacerReport = { ...EMPTY_REPORT, noted: entry.noted, placesMax }
  if (entry.isLook) {
    const looked = await readWaitingFor(deps, no)
    if (looked.level !== null && looked.level !== 'limited') return await serveOrdered(deps, no, work)
    told.seen = looked.seen
    const subscription = await readSubscription(deps.db, no)
    if (subscription !== null) told.terms = pacerTermsOf(subscription.settings, subscription.version)
  }
  let reply = await callPacer(deps, no, told)
  if (reply.kind === 'unknown') {
    const subscription = await readSubscription(deps.db, no)
    if (subscription === null || subscription.pacingLevel !== 'limited')
      return await serveOrdered(deps, no, work)
    reply = await callPacer(deps, no, {
      ...told,
      terms: pacerTermsOf(subscription.settings, subscription.version),
    })
  }
  await useGrants(deps, { no, work, beside: new Set() }, reply)
}

/** Uses one grant after the other until there is none, and waits for the answers. */
async function useGrants(deps: PacedDeps, turn: Serving, first: Reply): Promise<void> {
  try {
    let reply: Reply | null = first
    while (reply?.kind === 'go') reply = await useGrant(deps, turn, reply)
  } finally {
    await turn.work.handle.whileIdle(joinAll(turn.beside))
  }
}
