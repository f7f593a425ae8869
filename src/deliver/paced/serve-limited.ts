import { joinAll } from '../../base/concurrency/wait.ts'
import { pacerTermsOf } from '../../pacing/settings.ts'
import { readSubscription } from '../../subscription/subscriptions.sql.ts'
import type { PacedDeps, PacedEntry, PacedWork, Serving } from './deps.ts'
import { GrantUse } from './grant/use-grant.ts'
import { callPacer, EMPTY_REPORT, type PacerReport, type Reply, readWaiting } from './pacer-calls.ts'

/** `not-limited`: another level is to be served first, then the reply is to be used. */
export type Served = { kind: 'done' } | { kind: 'not-limited'; reply: Reply | null }

/** Serves one limited subscription for one turn. All methods reject when D1 or the pacer fails. */
export class LimitedServing {
  readonly #deps: PacedDeps
  readonly #serving: Serving

  constructor(deps: PacedDeps, no: number, work: PacedWork) {
    this.#deps = deps
    this.#serving = { no, work, tails: new Set(), ended: [] }
  }

  /** Calls the pacer, and uses its grants until it gives no more. */
  async serve(entry: PacedEntry): Promise<Served> {
    const { no, work } = this.#serving
    const report = { ...EMPTY_REPORT, arrived: entry.arrived, permitsMax: work.invocation.slots.count }
    if (entry.isLook) {
      const { waiting, level } = await readWaiting(this.#deps, no)
      if (level !== null && level !== 'limited') return { kind: 'not-limited', reply: null }
      report.waiting = waiting
      const subscription = await readSubscription(this.#deps.db, no)
      if (subscription !== null) report.terms = pacerTermsOf(subscription)
    }
    const reply = await callPacer(this.#deps, no, report)
    return reply.kind === 'unknown' ? await this.#introduce(report) : await this.useGrants(reply)
  }

  /** Uses one grant after the other until there is none. */
  async useGrants(reply: Reply | null): Promise<Served> {
    let next = reply
    while (next?.kind === 'go') {
      const used = await new GrantUse(this.#deps, this.#serving, next).use()
      if (used.kind === 'not-limited') return used
      next = used.kind === 'next' ? used.reply : null
    }
    return { kind: 'done' }
  }

  /** Waits for the last answers; the turn counts as idle meanwhile. Rejects when a grant has failed. */
  async join(): Promise<void> {
    const { work, tails } = this.#serving
    await work.turn.whileIdle(joinAll(tails))
    await this.#reportEnded()
  }

  /** Reports the grants that no other call has carried. */
  async #reportEnded(): Promise<void> {
    const { no, ended } = this.#serving
    if (ended.length === 0) return
    const { waiting } = await readWaiting(this.#deps, no)
    for (const finished of ended.splice(0)) {
      await callPacer(this.#deps, no, { ...EMPTY_REPORT, finished, waiting, wantsMore: false })
    }
  }

  /** Calls a pacer that has forgotten the terms again. */
  async #introduce(report: PacerReport): Promise<Served> {
    const { no } = this.#serving
    const subscription = await readSubscription(this.#deps.db, no)
    if (subscription?.pacingLevel !== 'limited') return { kind: 'not-limited', reply: null }
    const terms = pacerTermsOf(subscription)
    return await this.useGrants(await callPacer(this.#deps, no, { ...report, terms }))
  }
}
