import { BoundedMap } from '../../base/concurrency/bounded-map.ts'
import { withinMs } from '../../base/concurrency/wait.ts'
import { type PacerCall, type PacerReply, pacerReplySchema } from './protocol.ts'

/** As much as is used of the namespace of the pacers' Durable Objects. */
export type PacerNamespace = { getByName(name: string): { turn(call: PacerCall): Promise<unknown> } }

/** Calls a pacer and answers what it says; rejects when it cannot be reached, and then nothing may be started. */
export type CallPacer = (call: PacerCall) => Promise<PacerReply>

const SUBSCRIPTIONS_MAX = 10_000
const LEASES_MAX = 1_000
/** A call whose answer was lost may be made again: under the same `leaseId` nothing is granted twice. */
const TRIES = 3
/** An object that takes longer to answer is as good as dead; what it may have granted expires. */
const ANSWER_MS_MAX = 10_000

/** The way to the pacers, with what one isolate remembers of subscriptions that have several. */
export class Pacers {
  readonly #namespace: PacerNamespace
  readonly #random: () => number
  readonly #shards = new BoundedMap<number, number>(SUBSCRIPTIONS_MAX)
  readonly #shardOfLease = new BoundedMap<string, number>(LEASES_MAX)

  constructor(namespace: PacerNamespace, random: () => number) {
    this.#namespace = namespace
    this.#random = random
  }

  /** See `CallPacer`. What was noted goes to any of the subscription's pacers, a report to the one that gave the grant. */
  turn: CallPacer = async (call) => {
    const shard = this.#shardFor(call)
    const reply = await this.#call(pacerName(call.subscriptionNo, shard), call)
    if (call.finished !== null) this.#shardOfLease.delete(call.finished.leaseId)
    if (reply.kind === 'go' && shard > 0) this.#shardOfLease.set(reply.leaseId, shard)
    // The first pacer alone says how many there are: it gets as many of the calls as any other.
    if (reply.kind !== 'unknown' && shard === 0) this.#learn(call.subscriptionNo, reply.shards)
    return reply
  }

  #shardFor({ subscriptionNo, finished, seen, noted }: PacerCall): number {
    if (finished !== null) return this.#shardOfLease.get(finished.leaseId) ?? 0
    if (seen !== null || noted === null) return 0
    return Math.floor(this.#random() * (this.#shards.get(subscriptionNo) ?? 1))
  }

  #learn(subscriptionNo: number, shards: number): void {
    if (shards === 1) this.#shards.delete(subscriptionNo)
    else this.#shards.set(subscriptionNo, shards)
  }

  async #call(name: string, call: PacerCall): Promise<PacerReply> {
    for (let tries = 1; ; tries++) {
      try {
        // A stub is of no use any more after some errors.
        const answer = this.#namespace.getByName(name).turn(call)
        return pacerReplySchema.parse(await withinMs(ANSWER_MS_MAX, answer, notAnswered))
      } catch (error) {
        if (tries === TRIES || !isWorthRetrying(error)) throw error
      }
    }
  }
}

function notAnswered(): never {
  throw new Error('the pacer did not answer')
}

/** The name of a subscription's pacer; shard 0 is the one that there always is. */
function pacerName(subscriptionNo: number, shard: number): string {
  return shard === 0 ? String(subscriptionNo) : `${subscriptionNo}/${shard}`
}

/** The platform says so of errors that are not the object's own; an overloaded object is left alone. */
function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }
  return retryable === true && overloaded !== true
}
