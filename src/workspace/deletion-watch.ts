import { deletingIds } from './deletion.sql.ts'

/** Names are read again after this time: a deletion that another isolate was asked for is known here by then. */
const KNOWN_MS = 5_000

/**
 * The workspaces that are being deleted, as this isolate knows them: their calls are refused with a reason. Publishes and
 * all that uses the workspace's row are refused by the row itself, on every isolate and at once.
 */
export class DeletionWatch {
  readonly #db: D1Database
  readonly #now: () => number
  #ids: ReadonlySet<string> = new Set()
  #readAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | null = null

  constructor(db: D1Database, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /** True for a workspace that is being deleted. Reads D1 once in a few seconds. */
  async has(workspaceId: string): Promise<boolean> {
    if (this.#now() - this.#readAtMs >= KNOWN_MS) await this.refresh()
    return this.#ids.has(workspaceId)
  }

  /** Reads the names; calls that come meanwhile share the reading. */
  async refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    await this.#reading
  }

  async #read(): Promise<void> {
    const readAtMs = this.#now()
    this.#ids = new Set(await deletingIds(this.#db))
    this.#readAtMs = readAtMs
  }
}
