import { DurableObject } from 'cloudflare:workers'
import { type LimiterReply, limiterCallSchema } from './protocol.ts'
import { SharedUse } from './shared-use.ts'
import { DayUseTable } from './table.sql.ts'

/**
 * Adds up what a workspace's limits are used for over all isolates; named by the workspace's number. No
 * answer of the API waits for it. Only what was accepted on a day is stored.
 */
export class Limiter extends DurableObject<Env> {
  readonly #table: DayUseTable
  #use: SharedUse

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#table = new DayUseTable(ctx.storage.sql)
    this.#table.create()
    this.#use = new SharedUse(this.#table.read())
  }

  /** Answers a `LimiterCall`; throws at anything else. */
  async report(call: unknown): Promise<LimiterReply> {
    const { reply, changed } = this.#use.answer(limiterCallSchema.parse(call))
    for (const use of changed) this.#table.write(use)
    return reply
  }

  /** Forgets everything: its workspace is deleted. */
  async forget(): Promise<void> {
    this.#use = new SharedUse()
    await this.ctx.storage.deleteAll()
    this.#table.create()
  }

  /** What was accepted of a subject on a day. */
  async acceptedOn(subject: string, day: number): Promise<number> {
    return this.#use.acceptedOn(subject, day)
  }
}
