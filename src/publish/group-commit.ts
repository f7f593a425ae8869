import type { Pair } from '../model/delivery.ts'
import { INLINE_BODY_CHARS_MAX } from '../model/event.ts'
import type { PacingLevel } from '../pacing/settings.ts'
import type { GroupResult, InsertGroup, NewEvent } from './event-insert.sql.ts'
import { insertStatements, readInsertResults } from './event-insert.sql.ts'

/** Events of one publish that were matched against one version of a workspace's configuration. */
export type CommitEntry = { workspaceNo: number; configVersion: number; events: readonly NewEvent[] }

/** What a commit has laid to wait for one paced subscription, or that it flushes what waits there. */
export type WaitingNote = {
  subscriptionNo: number
  level: PacingLevel
  events: number
  /** About how long their texts are. */
  bytes: number
  sinceMs: number
  isFlushed: boolean
}

/** What a commit owes: deliveries to be made now, and deliveries that wait. */
export type Committed = { pairs: Pair[]; waiting: WaitingNote[] }

export type CommitDeps = {
  db: D1Database
  clock: () => { acceptedAtMs: number; seqFloor: number; keyFloor: number }
  /** Called once per commit with what it owes; must not throw. */
  onCommitted: (committed: Committed) => void
}

/** Bounds of one D1 batch: 600,000 characters stay below D1's 2 MB for a bound value even at three bytes each. */
const GROUP_CHARS_MAX = 600_000
const GROUP_EVENTS_MAX = 2_000
const GROUP_WORKSPACES_MAX = 50
/** A leader silent for this long has been cancelled by the platform; the next arrival takes over. */
const LEADER_SILENCE_MS = 15_000

/** Longest time a leader waits for as much company as the last group had: what its members take to come again. */
const GATHER_MS_MAX = 4

type Waiting = CommitEntry & {
  deps: CommitDeps
  chars: number
  result: GroupResult | { kind: 'failed'; error: unknown } | null
  wake: () => void
}

/**
 * Commits publishes in groups: while one D1 batch is under way, arriving publishes wait and go together in the next.
 * D1 runs one query at a time, so this is what lets one database take many single publishes. Each flush is led by a
 * request that takes part in it, in that request's own context.
 */
export class GroupCommit {
  #waiting: Waiting[] = []
  #leaderSinceMs: number | null = null
  #lastGroupSize = 0

  /** Resolves when the entry is committed or known to be stale; rejects when D1 failed. */
  async commit(entry: CommitEntry, deps: CommitDeps, nowMs: number): Promise<GroupResult> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting: Waiting = { ...entry, deps, chars: charsOf(entry), result: null, wake: resolve }
    this.#waiting.push(waiting)
    if (this.#leaderSinceMs !== null && nowMs - this.#leaderSinceMs < LEADER_SILENCE_MS) await promise
    while (waiting.result === null) await this.#lead(waiting)
    if (waiting.result.kind === 'failed') throw waiting.result.error
    return waiting.result
  }

  async #lead(leader: Waiting): Promise<void> {
    const now = () => leader.deps.clock().acceptedAtMs
    this.#leaderSinceMs = now()
    await this.#gather(now)
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

  /** Whoever was in the last group is sending its next publish right now: a moment's wait lets them share one commit. */
  async #gather(now: () => number): Promise<void> {
    const untilMs = now() + GATHER_MS_MAX
    for (let turn = 0; turn < GATHER_MS_MAX; turn++) {
      // A turn of a busy isolate takes longer than the millisecond asked for, so the clock counts too.
      if (this.#waiting.length >= this.#lastGroupSize || now() >= untilMs) return
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #take(): Waiting[] {
    const taken: Waiting[] = []
    const left: Waiting[] = []
    const keys = new Set<string>()
    const workspaces = new Set<number>()
    let chars = 0
    let events = 0
    for (const entry of this.#waiting) {
      const fits =
        chars + entry.chars <= GROUP_CHARS_MAX &&
        events + entry.events.length <= GROUP_EVENTS_MAX &&
        workspaces.size < GROUP_WORKSPACES_MAX
      const names = entry.events.flatMap((event) => event.keys.map((key) => `${entry.workspaceNo}/${key}`))
      // Two publishes that share a key must not decide about it in one statement.
      if (taken.length > 0 && (!fits || left.length > 0 || names.some((name) => keys.has(name)))) {
        left.push(entry)
        continue
      }
      for (const name of names) keys.add(name)
      workspaces.add(entry.workspaceNo)
      chars += entry.chars
      events += entry.events.length
      taken.push(entry)
    }
    this.#waiting = left
    return taken
  }
}

async function flush(taken: readonly Waiting[], deps: CommitDeps): Promise<void> {
  const { acceptedAtMs, seqFloor, keyFloor } = deps.clock()
  const groups = [
    ...Map.groupBy(taken, (entry) => `${entry.workspaceNo}/${entry.configVersion}`).values(),
  ].map((entries) => ({ entries, group: joinGroup(entries, { acceptedAtMs, seqFloor, keyFloor }) }))
  const statements = groups.map(({ group }) => insertStatements(deps.db, group))
  const results = await deps.db.batch(statements.flat())
  const committed: Committed = { pairs: [], waiting: [] }
  let at = 0
  groups.forEach(({ entries, group }, i) => {
    const count = statements[i]?.length ?? 0
    const outcome = readInsertResults(group, results.slice(at, at + count))
    at += count
    share(entries, outcome)
    for (const pair of committedPairs(group, outcome)) committed.pairs.push(pair)
    committed.waiting.push(...waitingNotes(group, outcome))
  })
  if (committed.pairs.length + committed.waiting.length > 0) deps.onCommitted(committed)
}

function joinGroup(entries: readonly Waiting[], clock: ReturnType<CommitDeps['clock']>): InsertGroup {
  const { workspaceNo, configVersion } = entries[0] as Waiting
  return { workspaceNo, configVersion, ...clock, events: entries.flatMap((entry) => entry.events) }
}

/** Gives each entry its share of the group's outcome. */
function share(entries: readonly Waiting[], outcome: GroupResult): void {
  let at = 0
  for (const entry of entries) {
    entry.result =
      outcome.kind === 'stale'
        ? outcome
        : { kind: 'committed', results: outcome.results.slice(at, at + entry.events.length) }
    at += entry.events.length
  }
}

/** Deliveries that are owed now: those that wait have rows, which lead to them. */
function* committedPairs(group: InsertGroup, outcome: GroupResult): Generator<Pair> {
  if (outcome.kind === 'stale') return
  const { workspaceNo } = group
  for (const [i, { fanout, waiting = [] }] of group.events.entries()) {
    const result = outcome.results[i]
    if (result?.kind !== 'inserted') continue
    const waitingNos = new Set(waiting.map(({ subscriptionNo }) => subscriptionNo))
    for (const subscriptionNo of fanout) {
      if (subscriptionNo <= 0 || waitingNos.has(subscriptionNo)) continue
      yield { workspaceNo, subscriptionNo, seq: result.seq }
    }
  }
}

function waitingNotes(group: InsertGroup, outcome: GroupResult): WaitingNote[] {
  if (outcome.kind === 'stale') return []
  const notes = new Map<number, WaitingNote>()
  const noteOf = (subscriptionNo: number, level: PacingLevel) => {
    const known = notes.get(subscriptionNo)
    if (known !== undefined) return known
    const sinceMs = group.acceptedAtMs
    const made = { subscriptionNo, level, events: 0, bytes: 0, sinceMs, isFlushed: false }
    notes.set(subscriptionNo, made)
    return made
  }
  outcome.results.forEach((result, i) => {
    const event = group.events[i]
    if (result.kind !== 'inserted' || event === undefined) return
    // Scheduled events are found when they are due.
    if ((event.deliverAtMs ?? 0) <= group.acceptedAtMs) {
      for (const { subscriptionNo, level } of event.waiting ?? []) {
        const note = noteOf(subscriptionNo, level)
        note.events++
        note.bytes += (event.body?.length ?? LARGE_TEXT_BYTES) + event.type.length
      }
    }
    for (const no of event.flushes ?? []) noteOf(no, 'limited').isFlushed = true
  })
  return [...notes.values()]
}

/** What an event counts for whose text waits in R2: its length is not at hand. */
const LARGE_TEXT_BYTES = INLINE_BODY_CHARS_MAX

function charsOf(entry: CommitEntry): number {
  return entry.events.reduce(
    (sum, e) => sum + (e.body?.length ?? 0) + e.type.length + e.fanout.length * 8 + 64,
    0,
  )
}
