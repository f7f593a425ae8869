/** Turns of one subscription at once: enough to keep a quick receiver busy. */
const TURNS_MAX = 4
/** Of one whose receiver hangs: the others would only wait, and hold what they are to send. */
const HANGING_TURNS_MAX = 2
/** Of one with a limit, which may be used to the full only by the connections of several invocations. */
const LIMITED_TURNS_MAX = 8
/** From so many turns on, over all subscriptions, none gets more than its share. */
const BUSY_TURNS_SHARED_FROM = 100
/** When a subscription that has enough turns is looked at again. */
export const LOOK_AGAIN_SECONDS = 2

/** `begun`: turns that have not ended; `busy`: those of them that take on work. */
type UnderWay = { begun: number; busy: number; isLimited: boolean; lookAtMs: number }

/** A turn under way. */
export type Turn = {
  /** Waits for something while it takes on no work: another turn may be begun in its place. */
  whileIdle: <T>(wait: Promise<T>) => Promise<T>
  /** To be called once when it has ended. */
  release: () => void
}

/** The turns of paced subscriptions that one isolate has under way, over all its invocations. */
export class TurnLimit {
  readonly #underWay = new Map<number, UnderWay>()
  #busy = 0

  /** Begins a turn of a subscription unless it has enough of them. */
  acquire(subscriptionNo: number, isSlow: boolean): Turn | null {
    const found = this.#underWay.get(subscriptionNo)
    const underWay = found ?? { begun: 0, busy: 0, isLimited: false, lookAtMs: 0 }
    if (underWay.busy >= this.#most(underWay, isSlow)) return null
    this.#underWay.set(subscriptionNo, underWay)
    underWay.begun++
    this.#work(underWay, 1)
    return {
      whileIdle: async (wait) => {
        this.#work(underWay, -1)
        try {
          return await wait
        } finally {
          this.#work(underWay, 1)
        }
      },
      release: () => {
        this.#work(underWay, -1)
        if (--underWay.begun === 0) this.#underWay.delete(subscriptionNo)
      },
    }
  }

  /** Notes of a subscription with a turn under way whether its requests are limited in number. */
  learn(subscriptionNo: number, isLimited: boolean): void {
    const underWay = this.#underWay.get(subscriptionNo)
    if (underWay !== undefined) underWay.isLimited = isLimited
  }

  /** Whether a look has to be arranged for a subscription that was refused a turn: one is as good as many. */
  needsLook(subscriptionNo: number, nowMs: number): boolean {
    const underWay = this.#underWay.get(subscriptionNo)
    if (underWay === undefined) return true
    if (nowMs < underWay.lookAtMs) return false
    underWay.lookAtMs = nowMs + LOOK_AGAIN_SECONDS * 1000
    return true
  }

  #work(underWay: UnderWay, by: 1 | -1): void {
    underWay.busy += by
    this.#busy += by
  }

  #most({ isLimited }: UnderWay, isSlow: boolean): number {
    if (isLimited && this.#busy < BUSY_TURNS_SHARED_FROM) return LIMITED_TURNS_MAX
    return isSlow ? HANGING_TURNS_MAX : TURNS_MAX
  }
}
