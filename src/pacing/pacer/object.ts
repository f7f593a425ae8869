import { DurableObject } from 'cloudflare:workers'
import { withinMs } from '../../base/concurrency/wait.ts'
import { describeError, logToConsole } from '../../base/log.ts'
import { answerPacerCall } from './decide.ts'
import { type PacerReply, pacerCallSchema } from './protocol.ts'
import { emptied, isIdle, newPacerState, type PacerState, readPacerState, storePacerState } from './state.ts'
import { PacerTable } from './table.sql.ts'

/** A hint that brought no consumer is sent again after this time. */
const HINT_AGAIN_MS = 60_000
/** Pause after a hint that could not be sent; doubled each time, up to `HINT_AGAIN_MS`. */
const RESEND_MS_MIN = 1_000
/** An alarm that is this late has been lost. */
const ALARM_LOST_MS = 60_000
/** A queue that takes longer to answer has failed. */
const SEND_TIMEOUT_MS = 10_000

/**
 * Timer, counter and lock of one paced subscription, named by its number. Shards (`number/shard`) take
 * a part of the counting where one object would be called too often. It makes no requests and reads
 * no D1; the sweeper finds all that it forgets.
 */
export class Pacer extends DurableObject<Env> {
  readonly #table: PacerTable
  #state: PacerState = newPacerState()
  #stored: string | null = null
  /** False once it has forgotten everything: tables that are not there take no room. */
  #hasTables = true
  #armedAtMs: number | null = null
  #failures = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#table = new PacerTable(ctx.storage.sql)
    void ctx.blockConcurrencyWhile(() => this.#load())
  }

  /** Answers a `WirePacerCall`, one after the other; throws at anything else. */
  async turn(call: unknown): Promise<PacerReply> {
    const parsed = pacerCallSchema.parse(call)
    const { state, reply, wakeAtMs } = answerPacerCall(this.#state, parsed)
    this.#keep(state)
    if (wakeAtMs !== null) await this.#armBy(Date.now() + Math.max(1, wakeAtMs - parsed.nowMs))
    return reply
  }

  /** Forgets everything, in memory and on disk, and rings no more. False when it had stored nothing. */
  async forget(): Promise<boolean> {
    const hadState = this.#stored !== null
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
    this.#state = newPacerState()
    this.#stored = null
    this.#armedAtMs = null
    this.#hasTables = false
    return hadState
  }

  /** Sends a hint, again and again for as long as anything is known to wait. Never throws. */
  override async alarm(): Promise<void> {
    this.#armedAtMs = null
    if (isIdle(this.#state)) return
    const isSent = await this.#sendHint()
    this.#failures = isSent ? 0 : this.#failures + 1
    if (isIdle(this.#state)) return
    const waitMs = isSent ? HINT_AGAIN_MS : Math.min(HINT_AGAIN_MS, RESEND_MS_MIN * 2 ** (this.#failures - 1))
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
    if (!this.#hasTables) this.ctx.storage.transactionSync(() => this.#table.migrate())
    this.#hasTables = true
    if (text !== this.#stored) this.#table.write(text)
    this.#stored = text
    this.#state = state
  }

  /** Makes sure that the alarm rings by then. An earlier one stays, since every move is billed. */
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

  /** Returns false when the hint could not be sent. */
  async #sendHint(): Promise<boolean> {
    const before = this.#state
    const no = before.subscriptionNo
    const isShard = this.#shard() > 0
    try {
      // A shard leaves its count to the first pacer, for which a consumer has to read D1.
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

/** The hint that makes a consumer call a pacer or, for a shard, read D1 first. */
type PacerHint = { v: 1; kind: 'paced'; subscriptions: { no: number; alarm?: true }[] }
