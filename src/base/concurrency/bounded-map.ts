/** A map of at most `max` entries: one more makes it forget the entry that was longest unused. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Reads an entry without using it: what is only ever read is forgotten in the order of its being set. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#max) return
    const [longestUnused] = this.#entries.keys()
    if (longestUnused !== undefined) this.#entries.delete(longestUnused)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
