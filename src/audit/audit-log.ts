import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { sleep } from '../base/time.ts'
import { appendEntry, readHead } from './audit.sql.ts'
import { AUDIT_KEPT_MS, type AuditRecord, CHAIN_START, type ChainPlace, chainRecord } from './entry.ts'
import type { RefusalBudgets } from './refusal-budget.ts'

/** The audit logs as an isolate writes them. */
export type Audit = { log: AuditLog; refusals: RefusalBudgets }

const CHAINS_MAX = 1_000
/** Looks at a taken turn until it is given back. One that is not given back was cancelled, and is taken over. */
const TURN_LOOKS_MAX = 500
const TURN_LOOK_MS = 2
/** Other isolates append as well: in each round one of them does, and this one takes the new head. */
const ROUNDS_MAX = 50

/**
 * Appends to the audit logs of one isolate. Calls take turns at a chain, so that only other isolates come between; the
 * head is remembered, so that an append is one round trip as a rule.
 */
export class AuditLog {
  readonly #heads = new BoundedMap<string, ChainPlace>(CHAINS_MAX)
  readonly #turns = new Map<string, AuditRecord>()

  /** Resolves once the record is in its chain, which cannot fork: a row is written behind the head or not at all. */
  async append(db: D1Database, chain: string, record: AuditRecord): Promise<void> {
    for (let looks = 0; this.#turns.has(chain) && looks < TURN_LOOKS_MAX; looks++) await sleep(TURN_LOOK_MS)
    this.#turns.set(chain, record)
    try {
      await this.#append(db, chain, record)
    } finally {
      if (this.#turns.get(chain) === record) this.#turns.delete(chain)
    }
  }

  async #append(db: D1Database, chain: string, record: AuditRecord): Promise<void> {
    let head = this.#heads.get(chain) ?? (await readHead(db, chain)) ?? CHAIN_START
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const entry = await chainRecord(chain, head, record)
      // A batch that fails may have been committed: what is remembered is no longer known to be the head.
      this.#heads.delete(chain)
      head = (await appendEntry(db, entry, { purgeAtMs: entry.atMs + AUDIT_KEPT_MS })) ?? CHAIN_START
      this.#heads.set(chain, head)
      if (head.hash === entry.hash) return
    }
    throw new Error('other isolates kept appending to the audit log')
  }
}
