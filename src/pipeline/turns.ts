/** Turns of one subscription at once: enough to keep a quick receiver busy. */
const TURNS_MAX = 4
/** Of one whose receiver hangs: the others would only wait, and hold what they are to send. */
const SLOW_TURNS_MAX = 2
/** Of one with a limit, which may be used to the full only by the connections of several invocations. */
const LIMITED_TURNS_MAX = 8
/** From so many turns on, over all subscriptions, none gets more than its share. */
const CROWD = 100

type UnderWay = { count: number; isLimited: boolean }

/** The turns of paced subscriptions that one isolate has under way, over all its invocations. */
export class Turns {
  readonly #underWay = new Map<number, UnderWay>()
  #total = 0

  /** Begins a turn of a subscription unless it has enough of them; call what is answered when the turn has ended. */
  begin(subscriptionNo: number, isSlow: boolean): (() => void) | null {
    const underWay = this.#underWay.get(subscriptionNo) ?? { count: 0, isLimited: false }
    if (underWay.count >= this.#most(underWay, isSlow)) return null
    this.#underWay.set(subscriptionNo, underWay)
    underWay.count++
    this.#total++
    return () => {
      this.#total--
      if (--underWay.count === 0) this.#underWay.delete(subscriptionNo)
    }
  }

  /** Notes of a subscription with a turn under way whether its requests are limited in number. */
  learn(subscriptionNo: number, isLimited: boolean): void {
    const underWay = this.#underWay.get(subscriptionNo)
    if (underWay !== undefined) underWay.isLimited = isLimited
  }

  #most({ isLimited }: UnderWay, isSlow: boolean): number {
    if (isLimited && this.#total < CROWD) return LIMITED_TURNS_MAX
    return isSlow ? SLOW_TURNS_MAX : TURNS_MAX
  }
}
