/** Steps that one purge may still take; all of its parts share them. */
export class StepsLeft {
  #count: number

  constructor(count: number) {
    this.#count = count
  }

  get isSpent(): boolean {
    return this.#count <= 0
  }

  /** Takes one step; false when there is none. */
  take(): boolean {
    if (this.isSpent) return false
    this.#count--
    return true
  }

  /** Adds steps that were kept for a later part. */
  add(count: number): void {
    this.#count += count
  }
}
