import { DurableObject } from 'cloudflare:workers'
import { withinMs } from '../../base/concurrency/wait.ts'
import { describeError, logToConsole } from '../../base/log.ts'
import { answerPacerCall } from './decide.ts'
import { type PacerReply, pacerCallSchema } from './protocol.ts'
import { emptied, isIdle, newPacerState, type PacerState, readPacerState, storePacerState } from './state.ts'
import { PacerTable } from './table.sql.ts'

/** Somebody who was asked to come is asked again after this time. */
const ASK_AGAIN_MS = 60_000
/** After a hint that could not be sent; doubled each time, up to `ASK_AGAIN_MS`. */
const RESEND_MS_MIN = 1_000
/** An alarm that is late by this much has been lost. */
const ALARM_LOST_MS = 60_000
/** A queue that takes longer has failed. */
const SEND_TIMEOUT_MS = 10_000

/**
 * Timer, counter and lock of one paced subscription. Its name is the subscription's number; further ones, named
 * `number/shard`, take a part of the counting where one would be called too often. It makes no requests and reads no D1;
 * whatever it forgets, the sweeper finds.
 */
export class Pacer extends DurableObject<Env> {
  readonly #table: PacerTable
  #state: PacerState = newPacerState()
  #stored: string | null = null
  #armedAtMs: number | null = null
  #failures = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#table = new PacerTable(ctx.storage.sql)
    void ctx.blockConcurrencyWhile(() => this.#load())
  }

  /** One call, see `PacerCall`; throws when it is none. Calls are taken one after the other, each as a whole. */
  async turn(call: unknown): Promise<PacerReply> {
    const parsed = pacerCallSchema.parse(call)
    const { state, reply, wakeAtMs } = answerPacerCall(this.#state, parsed)
    this.#keep(state)
    if (wakeAtMs !== null) await this.#armBy(Date.now() + Math.max(1, wakeAtMs - parsed.nowMs))
    return reply
  }

  /** Asks for somebody to come, again and again for as long as anything is known to wait. Never throws. */
  override async alarm(): Promise<void> {
    this.#armedAtMs = null
    if (isIdle(this.#state)) return
    const isSent = await this.#ask()
    this.#failures = isSent ? 0 : this.#failures + 1
    if (isIdle(this.#state)) return
    const waitMs = isSent ? ASK_AGAIN_MS : Math.min(ASK_AGAIN_MS, RESEND_MS_MIN * 2 ** (this.#failures - 1))
    try {
      await this.#armBy(Date.now() + waitMs)
    } catch (error) {
      logToConsole('pacer.unarmed', { ...this.#about(), error: describeError(error) })
    }
  }

  async #load(): Promise<void> {
    const wasNewer = this.ctx.storage.transactionSync(() => this.#table.migrate())
    this.#stored = this.#table.read()
    const state = this.#stored === null ? null : readPacerState(this.#stored)
    if (wasNewer || (this.#stored !== null && state === null)) logToConsole('pacer.forgot', this.#about())
    this.#state = state ?? newPacerState()
    this.#armedAtMs = await this.ctx.storage.getAlarm()
  }

  #keep(state: PacerState): void {
    if (state === this.#state) return
    const text = storePacerState(state)
    if (text !== this.#stored) this.#table.write(text)
    this.#stored = text
    this.#state = state
  }

  /**
   * Sees to it that the alarm rings by then. One that is set for earlier stays: it asks in vain at worst, while moving it
   * is billed each time.
   */
  async #armBy(atMs: number): Promise<void> {
    const armedAtMs = this.#armedAtMs
    if (armedAtMs !== null && armedAtMs <= atMs && armedAtMs > Date.now() - ALARM_LOST_MS) return
    this.#armedAtMs = Math.ceil(atMs)
    try {
      await this.ctx.storage.setAlarm(this.#armedAtMs)
    } catch (error) {
      this.#armedAtMs = null
      throw error
    }
  }

  /** Sends a hint and answers whether that worked. */
  async #ask(): Promise<boolean> {
    const before = this.#state
    const no = before.subscriptionNo
    const isShard = this.#shard() > 0
    try {
      // What a shard has counted is left to the first one, for which somebody has to look.
      await this.#send({ v: 1, kind: 'paced', subscriptions: [isShard ? { no } : { no, alarm: true }] })
      if (isShard && this.#state === before) this.#keep(emptied(before))
      return true
    } catch (error) {
      logToConsole('pacer.hint-failed', { ...this.#about(), error: describeError(error) })
      return false
    }
  }

  async #send(hint: PacerHint): Promise<void> {
    await withinMs<unknown>(SEND_TIMEOUT_MS, this.env.PACED.send(hint), () => {
      throw new Error('the queue did not answer')
    })
  }

  #shard(): number {
    return Number(this.ctx.id.name?.split('/')[1] ?? 0)
  }

  #about() {
    return { subscriptionNo: this.#state.subscriptionNo, shard: this.#shard(), failures: this.#failures }
  }
}

/** The hint that makes a consumer call a pacer, or for a shard, look in D1. */
type PacerHint = { v: 1; kind: 'paced'; subscriptions: { no: number; alarm?: true }[] }
