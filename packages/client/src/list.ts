/** One answer of a list. */
export type Page<T> = {
  items: T[]
  /** For `query.cursor` of a later call; null where the list ends. */
  nextCursor: string | null
  /** In lists with filters: everything accepted since then has been looked at; null for all. */
  searchedUntil: string | null
}

/** A list of the API, whose pages are asked for as they are needed. */
export class List<T> implements AsyncIterable<T> {
  readonly #read: (cursor: string | undefined) => Promise<Page<T>>

  constructor(read: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#read = read
  }

  /** The first page. */
  async page(): Promise<Page<T>> {
    return await this.#read(undefined)
  }

  /** Page after page, to the end. A filtered page may be empty before it. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    let cursor: string | undefined
    do {
      const page = await this.#read(cursor)
      yield page
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }

  /** Item after item, over all pages. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const { items } of this.pages()) yield* items
  }

  /** The first items, `max` at most: a list may be longer than memory. */
  async take(max: number): Promise<T[]> {
    const taken: T[] = []
    if (max <= 0) return taken
    for await (const item of this) {
      taken.push(item)
      if (taken.length >= max) break
    }
    return taken
  }
}
