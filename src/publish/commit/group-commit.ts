import { seqFloor } from '../../base/ids/seq.ts'
import { DAY_MS, sleep } from '../../base/time.ts'
import { type Committed, committedOf } from './committed.ts'
import type { GroupResult, InsertGroup, NewEvent } from './event-insert.sql.ts'
import { insertStatements, readInsertResults } from './event-insert.sql.ts'
import { readRequestResults, requestStatements } from './request-insert.sql.ts'
import type { RequestKey } from './request-key.sql.ts'

/** Events of one publish that were matched against one version of a workspace's configuration. */
type CommitEntry = {
  workspaceNo: number
  configVersion: number
  events: readonly NewEvent[]
  /** One key for all events, in place of their own. */
  requestKey?: RequestKey | null
}

export type CommitDeps = {
  db: D1Database
  now: () => number
  /** Sends hints for the deliveries a commit owes; called once per commit, must not throw. */
  onCommitted: (committed: Committed) => void
}

/** Bounds of one D1 batch: 600,000 characters stay below D1's 2 MB at three bytes each. */
const GROUP_CHARS_MAX = 600_000
const GROUP_EVENTS_MAX = 2_000
const GROUP_WORKSPACES_MAX = 50
/** A leader silent for this long was cancelled by the platform; the next arrival takes over. */
const LEADER_SILENCE_MS = 15_000
/**
 * Longest wait for as many publishes as the last group had; their senders take that to come again.
 */
const GATHER_MS_MAX = 4
/** The API promises to remember an `Idempotency-Key` for 24 hours. */
const IDEMPOTENCY_KEY_MS = DAY_MS

/** The time of a commit, and the sequence numbers from which its events and valid keys count. */
type CommitTimes = Pick<InsertGroup, 'acceptedAtMs' | 'seqFloor' | 'keyFloor'>

export function commitTimes(nowMs: number): CommitTimes {
  return {
    acceptedAtMs: nowMs,
    seqFloor: seqFloor(nowMs),
    keyFloor: seqFloor(nowMs - IDEMPOTENCY_KEY_MS),
  }
}

type Waiting = CommitEntry & {
  deps: CommitDeps
  chars: number
  result: GroupResult | { kind: 'failed'; error: unknown } | null
  wake: () => void
}

/**
 * Commits publishes in groups: publishes that arrive during a D1 batch go together in the next. D1
 * runs one query at a time, so this lets one database take many single publishes. One of a group's
 * requests leads it, in its own context.
 */
export class GroupCommit {
  #waiting: Waiting[] = []
  #leaderSinceMs: number | null = null
  #lastGroupSize = 0

  /** Resolves when the entry is committed or known to be stale; rejects when D1 failed. */
  async commit(entry: CommitEntry, deps: CommitDeps): Promise<GroupResult> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting: Waiting = { ...entry, deps, chars: charsOf(entry), result: null, wake: resolve }
    this.#waiting.push(waiting)
    if (this.#hasLeader(deps.now())) await promise
    while (waiting.result === null) await this.#lead(waiting)
    if (waiting.result.kind === 'failed') throw waiting.result.error
    return waiting.result
  }

  #hasLeader(nowMs: number): boolean {
    return this.#leaderSinceMs !== null && nowMs - this.#leaderSinceMs < LEADER_SILENCE_MS
  }

  async #lead(leader: Waiting): Promise<void> {
    this.#leaderSinceMs = leader.deps.now()
    await this.#gather(leader.deps.now)
    const taken = this.#take()
    this.#lastGroupSize = taken.length
    try {
      await flush(taken, leader.deps)
    } catch (error) {
      for (const entry of taken) entry.result = { kind: 'failed', error }
    }
    for (const entry of taken) entry.wake()
    const next = this.#waiting[0]
    if (next === undefined) this.#leaderSinceMs = null
    else next.wake()
  }

  /**
   * Waits a moment for the publishers of the last group: they are sending their next publish right
   * now, and may share one commit again.
   */
  async #gather(now: () => number): Promise<void> {
    const untilMs = now() + GATHER_MS_MAX
    for (let turn = 0; turn < GATHER_MS_MAX; turn++) {
      // A busy isolate's turn takes longer than the millisecond asked for, so the clock counts too.
      if (this.#waiting.length >= this.#lastGroupSize || now() >= untilMs) return
      await sleep(1)
    }
  }

  /** Takes the first publishes that fit into one D1 batch; the others stay in their order. */
  #take(): Waiting[] {
    const group = new GroupBounds()
    const end = this.#waiting.findIndex((entry) => !group.take(entry))
    const taken = this.#waiting.slice(0, end === -1 ? undefined : end)
    this.#waiting = this.#waiting.slice(taken.length)
    return taken
  }
}

/** Counts what a group holds, and so decides whether one more publish fits. */
class GroupBounds {
  readonly #keys = new Set<string>()
  readonly #workspaces = new Set<number>()
  #chars = 0
  #events = 0

  /** Counts a publish in; false if it is too much, which the first never is. */
  take({ workspaceNo, chars, events }: Waiting): boolean {
    const keys = events.flatMap((event) => event.keys.map((key) => `${workspaceNo}/${key}`))
    if (this.#events > 0 && !this.#fits(chars, events.length, keys)) return false
    for (const key of keys) this.#keys.add(key)
    this.#workspaces.add(workspaceNo)
    this.#chars += chars
    this.#events += events.length
    return true
  }

  /** Two publishes that share a key do not fit: one statement must not decide about both. */
  #fits(chars: number, events: number, keys: readonly string[]): boolean {
    return (
      this.#chars + chars <= GROUP_CHARS_MAX &&
      this.#events + events <= GROUP_EVENTS_MAX &&
      this.#workspaces.size < GROUP_WORKSPACES_MAX &&
      !keys.some((key) => this.#keys.has(key))
    )
  }
}

async function flush(taken: readonly Waiting[], deps: CommitDeps): Promise<void> {
  const times = commitTimes(deps.now())
  const groups = Map.groupBy(taken, groupOf)
  const parts = [...groups.values()].map((entries) => {
    const group = joinGroup(entries, times)
    return { entries, group, ...statementsOf(deps.db, group) }
  })
  const results = await deps.db.batch(parts.flatMap(({ statements }) => statements))
  const committed: Committed = { pairs: [], waiting: [] }
  let at = 0
  for (const { entries, group, statements, read } of parts) {
    const outcome = read(results.slice(at, at + statements.length))
    at += statements.length
    share(entries, outcome)
    const { pairs, waiting } = committedOf(group, outcome)
    // Most commits are of one group, and its pairs may be many.
    if (committed.pairs.length === 0) committed.pairs = pairs
    else for (const pair of pairs) committed.pairs.push(pair)
    committed.waiting.push(...waiting)
  }
  if (committed.pairs.length + committed.waiting.length > 0) deps.onCommitted(committed)
}

/** Publishes that one set of statements writes: those of a workspace and version, but alone what has a key for all. */
function groupOf(entry: Waiting): unknown {
  return entry.requestKey == null ? `${entry.workspaceNo}/${entry.configVersion}` : entry
}

type Statements = {
  statements: D1PreparedStatement[]
  read: (results: readonly D1Result[]) => GroupResult
}

function statementsOf(db: D1Database, group: InsertGroup): Statements {
  const { requestKey } = group
  if (requestKey == null) {
    return {
      statements: insertStatements(db, group),
      read: (results) => readInsertResults(group, results),
    }
  }
  const request = { ...group, requestKey }
  return {
    statements: requestStatements(db, request),
    read: (results) => readRequestResults(request, results),
  }
}

function joinGroup(entries: readonly Waiting[], times: CommitTimes): InsertGroup {
  const { workspaceNo, configVersion, requestKey } = entries[0] as Waiting
  const events = entries.flatMap((entry) => entry.events)
  return { workspaceNo, configVersion, requestKey: requestKey ?? null, ...times, events }
}

/** Gives each entry its share of the group's outcome. */
function share(entries: readonly Waiting[], outcome: GroupResult): void {
  let at = 0
  for (const entry of entries) {
    entry.result =
      outcome.kind !== 'committed'
        ? outcome
        : { kind: 'committed', results: outcome.results.slice(at, at + entry.events.length) }
    at += entry.events.length
  }
}

/** Estimates the characters that an entry adds to the statements of its group. */
function charsOf(entry: CommitEntry): number {
  return entry.events.reduce(
    (sum, e) => sum + (e.body?.length ?? 0) + e.type.length + e.fanout.length * 8 + 64,
    0,
  )
}
