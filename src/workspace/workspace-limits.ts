import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import type { Limits } from '../limits/limits.ts'
import { findWorkspaceLimits } from './workspace-limits.sql.ts'

/** A workspace as its limits are counted; null for a name that no workspace has yet. */
export type LimitedWorkspace = { no: number; limits: Limits } | null

const WORKSPACES_MAX = 1_000
/** Age at which limits are read again: changed ones are to count within ten seconds. */
const READ_AFTER_MS = 5_000

type Known = { workspace: LimitedWorkspace; readAtMs: number }

/**
 * The limits of workspaces for calls that read no configuration. One that is known is read again in the
 * background, so that only the first call of an isolate waits for it.
 */
export class WorkspaceLimits {
  readonly #db: D1Database
  readonly #now: () => number
  readonly #known = new BoundedMap<string, Known>(WORKSPACES_MAX)

  constructor(db: D1Database, now: () => number) {
    this.#db = db
    this.#now = now
  }

  async of(workspaceId: string, background: (work: Promise<unknown>) => void): Promise<LimitedWorkspace> {
    const known = this.#known.get(workspaceId)
    if (known === undefined) return await this.#read(workspaceId)
    if (this.#now() - known.readAtMs >= READ_AFTER_MS) {
      known.readAtMs = this.#now()
      // Those that are known go on to count; the next call tries again.
      background(this.#read(workspaceId).catch(() => undefined))
    }
    return known.workspace
  }

  async #read(workspaceId: string): Promise<LimitedWorkspace> {
    const workspace = await findWorkspaceLimits(this.#db, workspaceId)
    this.#known.set(workspaceId, { workspace, readAtMs: this.#now() })
    return workspace
  }
}
