import { eachInTurns } from '../base/concurrency/in-turn.ts'
import { describeError } from '../base/log.ts'
import { wakesAfter } from '../hints/wake.ts'
import { ClaimRun, type RunTerms, type WorkDeps, type WorkReport } from './claim-run.ts'
import type { Claim } from './claims.sql.ts'
import type { ConsumerDeps, ConsumerRun } from './consumer-deps.ts'

/** A claim whose receivers have nothing to do with each other. */
type IndependentClaim = Pick<RunTerms, 'expiresAtMs' | 'requestedByPerson'> & { claim: Claim }

/**
 * Makes every attempt of a claim, within the invocation's slots, records the outcomes, and wakes consumers for what is
 * due next. A receiver whose deliveries are over waits for no other: once its outcomes are written, its pairs are free
 * and its wake-up is sent. Its receivers may take longer than its invocation waits. Null where something failed.
 */
export async function deliverClaim(
  deps: ConsumerDeps,
  { claim, ...terms }: IndependentClaim,
  { invocation, report }: ConsumerRun,
): Promise<WorkReport | null> {
  report.claims++
  const wakes = new ClaimWakes(deps, claim)
  try {
    const run = new ClaimRun(deps.work, claim, { ...terms, invocation, onFreed: wakes.onFreed })
    await deliverAll(run, deps.work)
    const done = await run.finish()
    report.attempts += done.attempts
    report.delivered += done.delivered
    // The answer may have closed the breaker: then what was held by it is due.
    await wakes.finish(done.dueMs, { isAllDue: terms.requestedByPerson === true && done.delivered > 0 })
    return done
  } catch (error) {
    // An outcome that could not be recorded is still claimed, a wake-up that was lost is due: the sweeper finds both.
    report.unsettled++
    report.unsettledError ??= describeError(error)
    return null
  }
}

/** Begins with all deliveries of a claim, and ends a receiver's part of it with the last of its own. */
async function deliverAll(run: ClaimRun, { inFlight, attempt }: WorkDeps): Promise<void> {
  const begins = inFlight.starting(run.deliveries.length, attempt.now())
  const open = new Map<number, number>()
  for (const { subscription } of run.deliveries)
    open.set(subscription.no, (open.get(subscription.no) ?? 0) + 1)
  await eachInTurns(run.deliveries, async (delivery) => {
    begins()
    await run.deliver(delivery)
    const { subscription } = delivery
    const left = (open.get(subscription.no) ?? 0) - 1
    open.set(subscription.no, left)
    if (left === 0) run.endReceiver(subscription)
  })
}

/** The wake-ups that a claim owes: to each receiver once, when its pairs are free. */
class ClaimWakes {
  readonly #deps: ConsumerDeps
  readonly #startedAtMs: number
  /** Receivers that were not woken yet. */
  readonly #openNos: Set<number>
  readonly #sent: Promise<unknown>[] = []

  constructor(deps: ConsumerDeps, { subscriptions }: Claim) {
    this.#deps = deps
    this.#startedAtMs = deps.now()
    this.#openNos = new Set(subscriptions.map(({ no }) => no))
  }

  /** Wakes for receivers while the claim goes on. No outcome waits for that: `finish` does, and sees a failure. */
  readonly onFreed = (subscriptionNos: readonly number[], dueMs: ReadonlyMap<number, number>): void => {
    for (const no of subscriptionNos) this.#openNos.delete(no)
    const sent = this.#send(subscriptionNos, dueMs)
    sent.catch(() => undefined)
    this.#sent.push(sent)
  }

  /** Wakes for the last receivers; `isAllDue`: they may have more due now. */
  async finish(dueMs: ReadonlyMap<number, number>, { isAllDue }: { isAllDue: boolean }): Promise<void> {
    const nos = [...this.#openNos]
    const nowMs = this.#deps.now()
    await this.#send(nos, isAllDue ? new Map(nos.map((no) => [no, nowMs])) : dueMs)
    await Promise.all(this.#sent)
  }

  async #send(subscriptionNos: readonly number[], dueMs: ReadonlyMap<number, number>): Promise<void> {
    const nowMs = this.#deps.now()
    await this.#deps.hints.dueAt(wakesAfter(subscriptionNos, dueMs, nowMs - this.#startedAtMs, nowMs))
  }
}
