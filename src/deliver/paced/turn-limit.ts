/** Turns of one subscription at once: enough to keep a quick receiver busy. */
const TURNS_MAX = 4
/** Turns of a subscription whose receiver hangs: more would only wait and fill memory. */
const HANGING_TURNS_MAX = 2
/** Turns of a subscription with a limit: only several invocations have the connections to use it. */
const LIMITED_TURNS_MAX = 8
/** With so many turns over all subscriptions, a limit gives no subscription more turns than others. */
const BUSY_TURNS_SHARED_FROM = 100
/** A subscription that has enough turns is looked at again after this time. */
export const LOOK_AGAIN_SECONDS = 2

/** `begun`: turns that were not released; `busy`: those of them that are not idle. */
type UnderWay = { begun: number; busy: number; isLimited: boolean; lookAtMs: number }

/** A turn under way: busy, or idle while it waits. */
export type Turn = {
  /** The turn is idle until the wait ends, and another one may be acquired in its place. */
  whileIdle: <T>(wait: Promise<T>) => Promise<T>
  /** To be called once, when the turn has ended and is busy. */
  release: () => void
}

/**
 * Bounds the turns that one isolate gives each paced subscription, over all its invocations.
 *
 * - `acquire` makes a busy turn, or answers null when the subscription has enough busy ones.
 * - `whileIdle` makes it idle and busy again, also beyond the bound; `release` ends it.
 *
 * A consumer that is refused calls `needsLook`; one that has a turn calls `learn` with the first claim.
 */
export class TurnLimit {
  readonly #underWay = new Map<number, UnderWay>()
  #busy = 0

  acquire(subscriptionNo: number, { isHanging }: { isHanging: boolean }): Turn | null {
    const found = this.#underWay.get(subscriptionNo)
    const underWay = found ?? { begun: 0, busy: 0, isLimited: false, lookAtMs: 0 }
    if (underWay.busy >= this.#most(underWay, isHanging)) return null
    this.#underWay.set(subscriptionNo, underWay)
    underWay.begun++
    this.#countBusy(underWay, 1)
    return {
      whileIdle: async (wait) => {
        this.#countBusy(underWay, -1)
        try {
          return await wait
        } finally {
          this.#countBusy(underWay, 1)
        }
      },
      release: () => {
        this.#countBusy(underWay, -1)
        if (--underWay.begun === 0) this.#underWay.delete(subscriptionNo)
      },
    }
  }

  /** A subscription with a turn under way may have more of them once it is known to have a limit. */
  learn(subscriptionNo: number, { isLimited }: { isLimited: boolean }): void {
    const underWay = this.#underWay.get(subscriptionNo)
    if (underWay !== undefined) underWay.isLimited = isLimited
  }

  /** Returns true when a look has to be arranged after a refusal: one is enough for all consumers. */
  needsLook(subscriptionNo: number, nowMs: number): boolean {
    const underWay = this.#underWay.get(subscriptionNo)
    if (underWay === undefined) return true
    if (nowMs < underWay.lookAtMs) return false
    underWay.lookAtMs = nowMs + LOOK_AGAIN_SECONDS * 1000
    return true
  }

  #countBusy(underWay: UnderWay, by: 1 | -1): void {
    underWay.busy += by
    this.#busy += by
  }

  #most({ isLimited }: UnderWay, isHanging: boolean): number {
    if (isLimited && this.#busy < BUSY_TURNS_SHARED_FROM) return LIMITED_TURNS_MAX
    return isHanging ? HANGING_TURNS_MAX : TURNS_MAX
  }
}
