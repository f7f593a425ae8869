import { joinAll } from '../base/concurrency/wait.ts'
import { sleep } from '../base/time.ts'
import type { Pair } from '../model/delivery.ts'
import { BulkMeter } from './bulk-meter.ts'
import { type DueHint, type FirstAttemptsHint, type Hint, PAIRS_PER_HINT, type PacedHint } from './hint.ts'
import { pairsHints, pairsOf } from './pairs.ts'
import { WakeRegister } from './wake.ts'

/** The queues that hints go to, one for each class of work. */
export type HintQueues = {
  deliveries: Queue
  bulk: Queue
  unproven: Queue
  retries: Queue
  bulkRetries: Queue
  paced: Queue
}

/** An entry of a hint for paced subscriptions: the number alone asks for a look in D1. */
export type PacedEntry = PacedHint['subscriptions'][number]

/** Messages in one sendBatch (platform limit). A hint stays far below the other limit, 256 KB together. */
const MESSAGES_PER_SEND_MAX = 100
/** The shortest delay of a message. */
const SOON_SECONDS = 1
/** Paced subscriptions named by one hint. */
const ENTRIES_PER_HINT = 100

/**
 * Sends every hint there is. Each method rejects when its queue refuses: D1 still knows of the work, and the sweeper
 * finds it.
 */
export class HintSender {
  readonly #queues: HintQueues
  /** A hint for unproven receivers is one invocation's work: what hangs then holds up no hint behind it. */
  readonly #pairsPerInvocation: number
  readonly #now: () => number
  readonly #wakes = new WakeRegister()
  readonly #backlogs = new WakeRegister()
  readonly #bulk = new BulkMeter()

  /** `slots`: requests that one invocation may have in flight. */
  constructor(queues: HintQueues, slots: number, now: () => number) {
    this.#queues = queues
    this.#pairsPerInvocation = Math.min(slots, PAIRS_PER_HINT)
    this.#now = now
  }

  /** First attempts, by the consumers of proven receivers: bulk in a queue of its own. */
  async firstAttempts(hints: readonly FirstAttemptsHint[]): Promise<void> {
    const nowMs = this.#now()
    const isBulk = (hint: FirstAttemptsHint) => {
      const pairs = hint.kind === 'pairs' ? pairsOf(hint).length : PAIRS_PER_HINT
      return this.#bulk.add(hint.workspaceNo, pairs, nowMs)
    }
    const { single = [], bulk = [] } = Object.groupBy(hints, (hint) => (isBulk(hint) ? 'bulk' : 'single'))
    await joinAll([send(this.#queues.deliveries, single), send(this.#queues.bulk, bulk)])
  }

  /** First attempts, by the consumers of receivers that have not proven themselves. */
  async unprovenFirstAttempts(pairs: readonly Pair[]): Promise<void> {
    await send(this.#queues.unproven, pairsHints(pairs, this.#pairsPerInvocation))
  }

  /** First attempts that wait a moment for a receiver's answer to an earlier one. */
  async firstAttemptsSoon(pairs: readonly Pair[]): Promise<void> {
    await send(this.#queues.bulk, pairsHints(pairs, PAIRS_PER_HINT), SOON_SECONDS)
  }

  /** Hints for first attempts that an invocation could not finish: bulk, by its amount. */
  async firstAttemptsAgain(
    hints: readonly FirstAttemptsHint[],
    receivers: 'proven' | 'unproven',
  ): Promise<void> {
    await send(receivers === 'proven' ? this.#queues.bulk : this.#queues.unproven, hints)
  }

  /**
   * Subscriptions with more due than a look at them served, at once or a little after the last such hint: another isolate
   * may have taken that.
   */
  async backlogs(subscriptionNos: readonly number[]): Promise<void> {
    const nowMs = this.#now()
    const dueMs = new Map(subscriptionNos.map((no) => [no, nowMs]))
    await sendDelayed(this.#queues.bulkRetries, wakesOf(this.#backlogs, dueMs, nowMs))
  }

  /**
   * Wakes consumers when deliveries are due, by subscription, unless a wake-up that serves them is under way; what is
   * further away than `WAKE_HORIZON_MS` is left to the sweeper. Answers how many were sent.
   */
  async dueAt(dueMs: ReadonlyMap<number, number>): Promise<number> {
    const wakes = wakesOf(this.#wakes, dueMs, this.#now())
    await sendDelayed(this.#queues.retries, wakes)
    return wakes.length
  }

  /** A consumer begins to look at what is due for subscriptions, for the first time or at the backlogs of some. */
  dueTaken(subscriptionNos: readonly number[], look: 'first' | 'backlog'): void {
    const nowMs = this.#now()
    const register = look === 'first' ? this.#wakes : this.#backlogs
    for (const no of subscriptionNos) register.taken(no, nowMs)
  }

  /** Deliveries that wait for paced subscriptions, with their counts or as a request to look in D1. */
  async paced(entries: readonly PacedEntry[], delaySeconds = 0): Promise<void> {
    const hints: PacedHint[] = []
    for (let at = 0; at < entries.length; at += ENTRIES_PER_HINT) {
      hints.push({ v: 1, kind: 'paced', subscriptions: entries.slice(at, at + ENTRIES_PER_HINT) })
    }
    await send(this.#queues.paced, hints, delaySeconds)
  }

  /** One delivery that a person asked for, to be made now, past every hold of its subscription. */
  async delivery({ subscriptionNo, seq }: { subscriptionNo: number; seq: number }): Promise<void> {
    await send(this.#queues.retries, [{ v: 1, kind: 'delivery', subscriptionNo, seq }])
  }

  /** A challenge to a subscription's receiver. */
  async verify(subscriptionNo: number): Promise<void> {
    await send(this.#queues.retries, [{ v: 1, kind: 'verify', subscriptionNo }])
  }

  /** The next steps of replays. */
  async replays(replayNos: readonly number[], delaySeconds = 0): Promise<void> {
    await send(
      this.#queues.retries,
      replayNos.map((replayNo): Hint => ({ v: 1, kind: 'replay', replayNo })),
      delaySeconds,
    )
  }
}

type Wake = { hint: DueHint; delaySeconds: number }

/** The wake-ups that are owed beside those which the register knows to be under way. */
function wakesOf(register: WakeRegister, dueMs: ReadonlyMap<number, number>, nowMs: number): Wake[] {
  return [...dueMs].flatMap(([subscriptionNo, dueAtMs]) => {
    const delaySeconds = register.claim(subscriptionNo, dueAtMs, nowMs)
    return delaySeconds === null ? [] : [{ hint: { v: 1, kind: 'due', subscriptionNo }, delaySeconds }]
  })
}

async function send(queue: Queue, hints: readonly Hint[], delaySeconds = 0): Promise<void> {
  await sendDelayed(
    queue,
    hints.map((hint) => ({ hint, delaySeconds })),
  )
}

/** Sends hints in as few operations as the platform allows, and lets others have their turn between them. */
async function sendDelayed(
  queue: Queue,
  hints: readonly { hint: Hint; delaySeconds: number }[],
): Promise<void> {
  const [only] = hints
  if (hints.length === 1 && only !== undefined) {
    await queue.send(only.hint, { delaySeconds: only.delaySeconds })
    return
  }
  for (let at = 0; at < hints.length; at += MESSAGES_PER_SEND_MAX) {
    if (at > 0) await sleep(0)
    const messages = hints.slice(at, at + MESSAGES_PER_SEND_MAX)
    await queue.sendBatch(messages.map(({ hint, delaySeconds }) => ({ body: hint, delaySeconds })))
  }
}
