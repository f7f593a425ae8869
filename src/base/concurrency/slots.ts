/** Most slots of an invocation; more would fill its memory before they are used. */
export const SLOTS_MAX = 2_000
/** Slots of an invocation where nothing but memory bounds connections: on a machine of one's own. */
export const SLOTS_UNLIMITED = 1_000

/** The receiver of a request, and how far it has proven itself. */
export type SlotOwner = { no: number; workspaceNo: number; health: 'unproven' | 'healthy' | 'suspect' }

/**
 * Bounds the requests in flight. Workers make a seventh wait inside `fetch`, with its timeout
 * running, which would look like a slow receiver; here it waits before. A free slot goes to the
 * owner with the fewest, so that one hanging receiver does not take all.
 */
export class Slots {
  readonly #count: number
  #free: number
  /** Slots that receivers without proof of health may hold together. */
  #doubtfulMax: number
  /** Slots of these that the doubtful receivers of one workspace may hold. */
  #ownDoubtfulMax: number
  #doubtful = 0
  /** Slots that doubtful receivers hold now, by workspace. */
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

  /** The number of requests that may be in flight. */
  get count(): number {
    return this.#count
  }

  /** Requests that could start now. */
  get free(): number {
    return this.#free
  }

  /** True where a request for this receiver would get a slot at once. */
  hasFree({ health }: Pick<SlotOwner, 'health'>): boolean {
    return this.#free > 0 && (health === 'healthy' || this.#doubtful < this.#doubtfulMax)
  }

  /** True where requests for this receiver hold no more than half of the slots that it may have. */
  isHalfFree({ health }: Pick<SlotOwner, 'health'>): boolean {
    if (health === 'healthy') return this.#free * 2 >= this.#count
    return this.hasFree({ health }) && this.#doubtful * 2 <= this.#ownDoubtfulMax
  }

  /**
   * Keeps half of the slots for proven receivers. One more than the share of one workspace stays
   * open, so that a workspace never shuts out the doubtful receivers of all others.
   */
  keepHalfForProven(): void {
    this.#ownDoubtfulMax = Math.max(1, Math.floor(this.#count / 2))
    this.#doubtfulMax = Math.max(1, Math.min(this.#count - 1, this.#ownDoubtfulMax + 1))
  }

  /** Runs work when a slot is free. */
  async run<T>({ no, workspaceNo, health }: SlotOwner, work: () => Promise<T>): Promise<T> {
    const doubtfulOf = health === 'healthy' ? null : workspaceNo
    await this.#acquire(no, doubtfulOf)
    try {
      return await work()
    } finally {
      this.#release(no, doubtfulOf)
    }
  }

  #acquire(no: number, doubtfulOf: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const queue = this.#waiting.get(no)
    const waiting = { doubtfulOf, go: resolve }
    if (queue === undefined) this.#waiting.set(no, [waiting])
    else queue.push(waiting)
    this.#grantSoon()
    return promise
  }

  /**
   * Grants in a microtask: owners that ask in the same turn are compared, not served as they came.
   */
  #grantSoon(): void {
    if (this.#isGranting) return
    this.#isGranting = true
    queueMicrotask(() => {
      this.#isGranting = false
      let isGranted = true
      while (this.#free > 0 && isGranted) isGranted = this.#grant()
    })
  }

  /** Grants one slot; false when no waiting request may have it. */
  #grant(): boolean {
    const no = this.#ownerWithFewest()
    if (no === null) return false
    const queue = this.#waiting.get(no) ?? []
    const next = queue.shift()
    // The owner that was served goes behind those that hold as few.
    this.#waiting.delete(no)
    if (queue.length > 0) this.#waiting.set(no, queue)
    if (next === undefined) return true
    this.#free--
    if (next.doubtfulOf !== null) this.#countDoubtful(next.doubtfulOf, 1)
    this.#held.set(no, (this.#held.get(no) ?? 0) + 1)
    next.go()
    return true
  }

  #ownerWithFewest(): number | null {
    let owner: number | null = null
    let fewest = Number.POSITIVE_INFINITY
    for (const [no, [next]] of this.#waiting) {
      const held = this.#held.get(no) ?? 0
      if (held >= fewest) continue
      if (next !== undefined && !this.#mayTake(next)) continue
      fewest = held
      owner = no
    }
    return owner
  }

  /** One workspace never has all slots of the doubtful: another one's may be new and quick. */
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

  #release(no: number, doubtfulOf: number | null): void {
    this.#free++
    if (doubtfulOf !== null) this.#countDoubtful(doubtfulOf, -1)
    const held = (this.#held.get(no) ?? 1) - 1
    if (held === 0) this.#held.delete(no)
    else this.#held.set(no, held)
    this.#grantSoon()
  }
}

/** `doubtfulOf` is the workspace of a receiver that is not proven; null for one that is. */
type Waiting = { doubtfulOf: number | null; go: () => void }
