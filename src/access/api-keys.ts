import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { hourOf } from '../base/time.ts'
import { hashSecret, parseApiKey } from './api-key.ts'
import { type AccessRefusal, type ApiKey, judgeKey, type KeysById, type PresentedKey } from './key.ts'
import { findKeyById, markKeyUsed } from './keys.sql.ts'
import type { RouteScope } from './scopes.ts'

/** Keys whose workspace or last use one isolate remembers. */
const REMEMBERED_MAX = 10_000

/** Keys that one isolate need not hash at every call. */
const HASHED_MAX = 1_000

/** A key of a workspace, and what speaks against its use; its row is gone once it was revoked. */
export type FoundKey =
  | { key: ApiKey; workspaceId: string; refusal: AccessRefusal | null }
  | { key: null; workspaceId: string; refusal: { kind: 'invalid'; fault: 'revoked' } }

type KeyHash = Pick<PresentedKey, 'id' | 'hash'>

/** What a key is to be used for, and the keys of a workspace as this isolate knows them in memory, where that will do. */
export type KeyUse = { scope: RouteScope; known: ((workspaceId: string) => KeysById | undefined) | null }

/** Finds keys by their ids. What an isolate remembers of them saves reads, and decides nothing. */
export class ApiKeys {
  readonly #db: D1Database
  readonly #now: () => number
  /** The workspace of a key never changes. Ids that no key has are not remembered: anyone can make them up. */
  readonly #workspaceIds = new BoundedMap<string, string>(REMEMBERED_MAX)
  readonly #usedHours = new BoundedMap<string, number>(REMEMBERED_MAX)
  /** Keys as they were presented, once they were found to be valid: made-up ones displace none. */
  readonly #hashed = new BoundedMap<string, KeyHash>(HASHED_MAX)

  constructor(db: D1Database, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /** Reads a key's text into its id and the hash of its secret; null for a text that is no key. */
  async readText(text: string): Promise<KeyHash | null> {
    const known = this.#hashed.get(text)
    if (known !== undefined) return known
    const parts = parseApiKey(text)
    return parts && { id: parts.id, hash: await hashSecret(parts.secret) }
  }

  /** Remembers a key that is valid, so that its text is not hashed again. It is judged at each use all the same. */
  noteValid(text: string, { id, hash }: KeyHash): void {
    if (this.#hashed.peek(text) === undefined) this.#hashed.set(text, { id, hash })
  }

  /**
   * Finds a key by its id and judges it. Keys known in memory may be old: a caller that they let pass is judged again at
   * its commit. One that they refuse is read, at the cost of one row.
   */
  async find(presented: PresentedKey, { scope, known }: KeyUse): Promise<FoundKey | null> {
    const { id } = presented
    const use = { scope, nowMs: this.#now() }
    const workspaceId = this.#workspaceIds.get(id)
    const inMemory = workspaceId === undefined ? undefined : known?.(workspaceId)?.get(id)
    if (workspaceId !== undefined && inMemory !== undefined && judgeKey(inMemory, presented, use) === null) {
      return { key: inMemory, workspaceId, refusal: null }
    }
    const found = await findKeyById(this.#db, id)
    const refusal = judgeKey(found?.key, presented, use)
    if (found === null || found.key === null) {
      this.#workspaceIds.delete(id)
      return found && { ...found, key: null, refusal: { kind: 'invalid', fault: 'revoked' } }
    }
    const { key } = found
    this.#workspaceIds.set(id, found.workspaceId)
    return { key, workspaceId: found.workspaceId, refusal }
  }

  /** Records the hour of a use in the background, once for each key, hour and isolate. */
  noteUse({ id, lastUsedHour }: ApiKey, background: (work: Promise<unknown>) => void): void {
    const hour = hourOf(this.#now())
    const recorded = this.#usedHours.get(id) ?? lastUsedHour
    if (recorded !== null && recorded >= hour) return
    this.#usedHours.set(id, hour)
    // The hour is news for people; a use that is not recorded is by the next one.
    background(markKeyUsed(this.#db, id, hour).catch(() => this.#usedHours.delete(id)))
  }
}
