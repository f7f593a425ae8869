/** Most slots of an invocation; more would fill its memory before they are used. */
export const SLOTS_MAX = 2_000
/** Slots of an invocation where nothing but memory bounds connections: on a machine of one's own. */
export const SLOTS_UNLIMITED = 1_000

/** Whom a request is for. */
export type SlotOwner = { no: number; workspaceNo: number; health: 'unproven' | 'healthy' | 'suspect' }

/**
 * Bounds how many requests are in flight. Workers allow six per invocation and make a seventh wait inside `fetch`,
 * with its timeout already running; waiting here instead keeps a queue of our own from looking like a slow receiver.
 * A free slot goes to the owner who holds the fewest, so that one receiver that hangs does not take them all while
 * others wait.
 */
export class Slots {
  readonly #count: number
  #free: number
  /** How many slots the doubtful may hold together: receivers that are not proven to be healthy. */
  #doubtfulMax: number
  /** How many of these the receivers of one workspace may hold. */
  #ownDoubtfulMax: number
  #doubtful = 0
  /** Of these, how many each workspace holds. */
  readonly #doubtfulOf = new Map<number, number>()
  readonly #held = new Map<number, number>()
  readonly #waiting = new Map<number, Waiting[]>()
  #isGranting = false

  constructor(count: number) {
    this.#count = count
    this.#free = count
    this.#doubtfulMax = count
    this.#ownDoubtfulMax = count
  }

  /** How many requests may be in flight. */
  get count(): number {
    return this.#count
  }

  /** How many requests could start now. */
  get free(): number {
    return this.#free
  }

  /** Whether a request for a receiver would not have to wait. */
  hasFree({ health }: Pick<SlotOwner, 'health'>): boolean {
    return this.#free > 0 && (health === 'healthy' || this.#doubtful < this.#doubtfulMax)
  }

  /**
   * Keeps half of the slots for proven receivers, but for one that receivers of another workspace may have, as long as one is
   * left for either.
   */
  keepHalfForProven(): void {
    this.#ownDoubtfulMax = Math.max(1, Math.floor(this.#count / 2))
    this.#doubtfulMax = Math.max(1, Math.min(this.#count - 1, this.#ownDoubtfulMax + 1))
  }

  /** Runs work when a slot is free. */
  async run<T>({ no, workspaceNo, health }: SlotOwner, work: () => Promise<T>): Promise<T> {
    const doubtfulOf = health === 'healthy' ? null : workspaceNo
    await this.#slot(no, doubtfulOf)
    try {
      return await work()
    } finally {
      this.#give(no, doubtfulOf)
    }
  }

  #slot(no: number, doubtfulOf: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = this.#waiting.get(no)
    const waiting = { doubtfulOf, go: resolve }
    if (queue === undefined) this.#waiting.set(no, [waiting])
    else queue.push(waiting)
    this.#grantSoon()
    return promise
  }

  /** Not at once: those who ask in the same turn are to be compared, not served in the order of their asking. */
  #grantSoon(): void {
    if (this.#isGranting) return
    this.#isGranting = true
    queueMicrotask(() => {
      this.#isGranting = false
      let isGranted = true
      while (this.#free > 0 && isGranted) isGranted = this.#grant()
    })
  }

  /** Grants one slot; false when nobody waits who may have it. */
  #grant(): boolean {
    const no = this.#neediest()
    if (no === null) return false
    const queue = this.#waiting.get(no) ?? []
    const next = queue.shift()
    // Who has been served goes behind those who hold as few.
    this.#waiting.delete(no)
    if (queue.length > 0) this.#waiting.set(no, queue)
    if (next === undefined) return true
    this.#free--
    if (next.doubtfulOf !== null) this.#countDoubtful(next.doubtfulOf, 1)
    this.#held.set(no, (this.#held.get(no) ?? 0) + 1)
    next.go()
    return true
  }

  #neediest(): number | null {
    let neediest: number | null = null
    let fewest = Number.POSITIVE_INFINITY
    for (const [no, [next]] of this.#waiting) {
      const held = this.#held.get(no) ?? 0
      if (held >= fewest) continue
      if (next !== undefined && !this.#mayTake(next)) continue
      fewest = held
      neediest = no
    }
    return neediest
  }

  /** A workspace never has all slots of the doubtful: another one's receiver may be as unknown and quick. */
  #mayTake({ doubtfulOf }: Waiting): boolean {
    if (doubtfulOf === null || this.#doubtfulMax === this.#count) return true
    const own = this.#doubtfulOf.get(doubtfulOf) ?? 0
    return this.#doubtful < this.#doubtfulMax && own < this.#ownDoubtfulMax
  }

  #countDoubtful(workspaceNo: number, by: 1 | -1): void {
    this.#doubtful += by
    const own = (this.#doubtfulOf.get(workspaceNo) ?? 0) + by
    if (own === 0) this.#doubtfulOf.delete(workspaceNo)
    else this.#doubtfulOf.set(workspaceNo, own)
  }

  #give(no: number, doubtfulOf: number | null): void {
    this.#free++
    if (doubtfulOf !== null) this.#countDoubtful(doubtfulOf, -1)
    const held = (this.#held.get(no) ?? 1) - 1
    if (held === 0) this.#held.delete(no)
    else this.#held.set(no, held)
    this.#grantSoon()
  }
}

/** `doubtfulOf`: the workspace of a receiver that is not proven; null for one that is. */
type Waiting = { doubtfulOf: number | null; go: () => void }
