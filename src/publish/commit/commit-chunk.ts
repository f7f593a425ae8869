import { encodePublicId } from '../../base/ids/public-id.ts'
import type { CompiledConfiguration } from '../configuration-cache.ts'
import type { Prepared, PublishOutcome } from '../prepared-event.ts'
import type { InsertResult } from './event-insert.sql.ts'
import { type CommitDeps, commitTimes, type GroupCommit } from './group-commit.ts'
import { outcomeOfRepeat, splitRepeatedKeys } from './repeated-keys.ts'
import { findRequest } from './request-insert.sql.ts'
import { KEPT_HASH_CHARS, namedEvents, type RequestKey, sharedKey } from './request-key.sql.ts'

type ChunkDeps = CommitDeps & { commits: GroupCommit }

/** Matched events that are committed together; `isWhole` if they are all that their request publishes. */
type Chunk = { items: readonly Prepared[]; isWhole: boolean }

/** Events with their outcomes, and those that are to be matched again. */
type ChunkEnd = { decided: Decided[]; open: Prepared[] }
type Decided = { item: Prepared; outcome: PublishOutcome }

/** Commits matched events. Those of a whole request share the row of its key, where they can. */
export async function commitChunk(
  deps: ChunkDeps,
  configuration: CompiledConfiguration,
  { items, isWhole }: Chunk,
): Promise<ChunkEnd> {
  const commit = new ChunkCommit(deps, configuration)
  const key = isWhole ? sharedKey(items.map(({ event }) => event)) : null
  return key === null ? await commit.byOwnKeys(items) : await commit.byRequestKey(items, key)
}

class ChunkCommit {
  readonly #deps: ChunkDeps
  readonly #configuration: CompiledConfiguration
  readonly #decided: Decided[] = []

  constructor(deps: ChunkDeps, configuration: CompiledConfiguration) {
    this.#deps = deps
    this.#configuration = configuration
  }

  /** Commits all events under one key, or, where that is taken, those that it does not name under their own. */
  async byRequestKey(items: readonly Prepared[], requestKey: RequestKey): Promise<ChunkEnd> {
    const { no: workspaceNo, configVersion } = this.#configuration
    const events = items.map(({ event }) => ({ ...event, keys: [] }))
    const entry = { workspaceNo, configVersion, events, requestKey }
    const result = await this.#deps.commits.commit(entry, this.#deps)
    if (result.kind === 'stale') return this.#end(items)
    if (result.kind === 'key_taken') return await this.byOwnKeys(await this.#decideByRequest(items))
    this.#record(items, result.results)
    return this.#end([])
  }

  async byOwnKeys(items: readonly Prepared[]): Promise<ChunkEnd> {
    const { no: workspaceNo, configVersion } = this.#configuration
    const open: Prepared[] = []
    for (let left = items; left.length > 0; ) {
      const { firsts, repeats } = splitRepeatedKeys(left)
      const entry = { workspaceNo, configVersion, events: firsts.map(({ event }) => event) }
      const result = await this.#deps.commits.commit(entry, this.#deps)
      if (result.kind !== 'committed') return this.#end([...open, ...left])
      const taken = this.#record(firsts, result.results)
      // The row of their request's key was written meanwhile; events that it does not name are for another round.
      open.push(...(taken.length === 0 ? [] : await this.#decideByRequest(taken)))
      left = this.#decideRepeats(repeats, firsts)
    }
    return this.#end(open)
  }

  #end(open: readonly Prepared[]): ChunkEnd {
    return { decided: this.#decided, open: [...open] }
  }

  /** Records outcomes; answers the events whose outcome the row of their request's key knows. */
  #record(items: readonly Prepared[], results: readonly InsertResult[]): Prepared[] {
    const taken: Prepared[] = []
    for (const [i, item] of items.entries()) {
      const result = results[i]
      if (result?.kind === 'key_taken') taken.push(item)
      else if (result !== undefined) this.#decide(item, outcomeOf(this.#configuration.no, item, result))
    }
    return taken
  }

  #decide(item: Prepared, outcome: PublishOutcome): void {
    this.#decided.push({ item, outcome })
  }

  /** Decides about events that the row of their request's key names; answers the others. */
  async #decideByRequest(items: readonly Prepared[]): Promise<Prepared[]> {
    const { no: workspaceNo } = this.#configuration
    const { db, now } = this.#deps
    const key = items[0]?.event.request?.key ?? ''
    const stored = await findRequest(db, { workspaceNo, key, keyFloor: commitTimes(now()).keyFloor })
    const named = stored === null ? [] : namedEvents(stored.contents)
    return items.filter((item) => {
      const { request, hash } = item.event
      const first = named[request?.at ?? -1]
      if (stored === null || first == null) return true
      const seq = stored.firstSeq + first.index
      const id = encodePublicId('evt_', { owner: workspaceNo, seq })
      const isSame = first.hash === hash?.slice(0, KEPT_HASH_CHARS)
      const matched = stored.matched.get(seq) ?? 0
      this.#decide(item, isSame ? { kind: 'duplicate', id, matched } : CONFLICT)
      return false
    })
  }

  #decideRepeats(repeats: readonly Prepared[], firsts: readonly Prepared[]): Prepared[] {
    if (repeats.length === 0) return []
    const outcomes = new Map(this.#decided.map(({ item, outcome }) => [item.at, outcome]))
    return repeats.filter((item) => {
      const outcome = outcomeOfRepeat(item, firsts, outcomes)
      if (outcome !== null) this.#decide(item, outcome)
      return outcome === null
    })
  }
}

const CONFLICT: PublishOutcome = { kind: 'conflict', key: 'Idempotency-Key' }

function outcomeOf(
  workspaceNo: number,
  { event, warnings }: Prepared,
  result: Exclude<InsertResult, { kind: 'key_taken' }>,
): PublishOutcome {
  if (result.kind === 'inserted') {
    const id = event.ownId ?? encodePublicId('evt_', { owner: workspaceNo, seq: result.seq })
    return { kind: 'accepted', id, matched: event.fanout.filter((no) => no > 0).length, warnings }
  }
  if (result.hash !== event.hash) {
    return { kind: 'conflict', key: result.key.startsWith('i:') ? 'id' : 'Idempotency-Key' }
  }
  const id = result.ownId ?? encodePublicId('evt_', { owner: workspaceNo, seq: result.seq })
  return { kind: 'duplicate', id, matched: result.matched }
}
