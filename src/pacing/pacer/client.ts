import { BoundedMap } from '../../base/concurrency/bounded-map.ts'
import { withinMs } from '../../base/concurrency/wait.ts'
import {
  type PacerCall,
  type PacerReply,
  pacerReplySchema,
  toWireCall,
  type WirePacerCall,
} from './protocol.ts'
import { SHARDS_MAX } from './shards.ts'

/** The part that is used of the namespace of the pacers' Durable Objects. */
export type PacerNamespace = {
  getByName(name: string): { turn(call: WirePacerCall): Promise<unknown>; forget(): Promise<boolean> }
}

/** Calls a pacer and returns its answer. When it rejects, nothing may be started. */
export type CallPacer = (call: PacerCall) => Promise<PacerReply>

const SUBSCRIPTIONS_MAX = 10_000
const LEASES_MAX = 1_000
/** Calls are repeated when an answer was lost: one `leaseId` is granted only once. */
const TRIES = 3
/** An object that takes longer to answer counts as dead; a grant that it may have given expires. */
const ANSWER_MS_MAX = 10_000

/** Calls the pacers of all subscriptions, and remembers the shards of those that have several. */
export class Pacers {
  readonly #namespace: PacerNamespace
  readonly #random: () => number
  readonly #shards = new BoundedMap<number, number>(SUBSCRIPTIONS_MAX)
  readonly #shardOfLease = new BoundedMap<string, number>(LEASES_MAX)

  constructor(namespace: PacerNamespace, random: () => number) {
    this.#namespace = namespace
    this.#random = random
  }

  /** Arrivals go to any of the subscription's pacers, a finished grant to the one that gave it. */
  call: CallPacer = async (call) => {
    const shard = this.#shardFor(call)
    const reply = await this.#callShard(pacerName(call.subscriptionNo, shard), call)
    if (call.finished !== null) this.#shardOfLease.delete(call.finished.leaseId)
    if (reply.kind === 'go' && shard > 0) this.#shardOfLease.set(reply.leaseId, shard)
    // The first pacer alone says how many there are: it gets as many of the calls as any other.
    if (reply.kind !== 'unknown' && shard === 0) this.#learn(call.subscriptionNo, reply.shards)
    return reply
  }

  /** Makes the pacers of a subscription forget all they store. Only one that was in use has shards. */
  forget = async (subscriptionNo: number): Promise<void> => {
    const forgetShard = async (shard: number) => {
      const answer = this.#namespace.getByName(pacerName(subscriptionNo, shard)).forget()
      return await withinMs(ANSWER_MS_MAX, answer, notAnswered)
    }
    this.#shards.delete(subscriptionNo)
    if (!(await forgetShard(0))) return
    for (let shard = 1; shard < SHARDS_MAX; shard++) await forgetShard(shard)
  }

  #shardFor({ subscriptionNo, finished, waiting, arrived }: PacerCall): number {
    if (finished !== null) return this.#shardOfLease.get(finished.leaseId) ?? 0
    if (waiting !== null || arrived === null) return 0
    return Math.floor(this.#random() * (this.#shards.get(subscriptionNo) ?? 1))
  }

  #learn(subscriptionNo: number, shards: number): void {
    if (shards === 1) this.#shards.delete(subscriptionNo)
    else this.#shards.set(subscriptionNo, shards)
  }

  async #callShard(name: string, call: PacerCall): Promise<PacerReply> {
    for (let tries = 1; ; tries++) {
      try {
        // Some errors leave a stub that is of no further use.
        const answer = this.#namespace.getByName(name).turn(toWireCall(call))
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

/** The name of a subscription's pacer; shard 0 always exists. */
function pacerName(subscriptionNo: number, shard: number): string {
  return shard === 0 ? String(subscriptionNo) : `${subscriptionNo}/${shard}`
}

/** The platform marks errors that are not the object's own; an overloaded object is left alone. */
function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }
  return retryable === true && overloaded !== true
}
