import { chunksByWeight, chunksOf } from '../base/chunks.ts'
import { decodePublicId, encodePublicId } from '../base/ids/public-id.ts'
import { seqFloor } from '../base/ids/seq.ts'
import { DAY_MS } from '../base/time.ts'
import { draftBody, type EventDefaults, INLINE_BODY_CHARS_MAX } from '../model/event.ts'
import { deleteBodies, putBody } from '../store/bodies.ts'
import type { CompiledConfiguration, ConfigurationCache } from './configuration-cache.ts'
import type { InsertResult, NewEvent } from './event-insert.sql.ts'
import type { CommitDeps, GroupCommit } from './group-commit.ts'
import { matchEvents } from './match-events.ts'
import type { Prepared, Publishable, PublishOutcome } from './prepared-event.ts'

/** What one publish needs. `background` keeps work alive after the answer; `onCommitted` sends the hints. */
export type PublishDeps = {
  db: D1Database
  bodies: R2Bucket
  configurations: ConfigurationCache
  commits: GroupCommit
  now: () => number
  newKey: () => string
  digest: (text: string) => Promise<string>
  background: (work: Promise<unknown>) => void
  onCommitted: CommitDeps['onCommitted']
}

/** How often a publish is matched afresh before it gives up. */
export const MATCH_ROUNDS_MAX = 8
/** Characters of one commit entry; a larger request is committed in several. */
const ENTRY_CHARS_MAX = 500_000
/** Design: an `Idempotency-Key` is remembered for 24 hours. */
const IDEMPOTENCY_KEY_MS = DAY_MS
const R2_PUTS_IN_FLIGHT = 4

/**
 * Publishes events of one workspace: matches, stores them with their fan-out, and answers once they are committed,
 * in input order. An event that is refused does not keep the others from being accepted.
 * Rejects when the store fails; events of earlier chunks may then have been committed.
 */
export async function publish(
  deps: PublishDeps,
  workspaceId: string,
  items: readonly Publishable[],
): Promise<PublishOutcome[]> {
  const outcomes = new Array<PublishOutcome>(items.length)
  let configuration = await deps.configurations.get(deps.db, workspaceId, deps.now())
  let open = await prepare(deps, configuration, items, outcomes)
  const refresh = async () => {
    const { settings } = configuration
    configuration = await deps.configurations.refresh(deps.db, workspaceId, deps.now())
    if (stampsOtherwise(settings, configuration.settings)) open = await stamp(deps, configuration, open)
  }
  for (let round = 0; open.length > 0 && round < MATCH_ROUNDS_MAX; round++) {
    if (round > 0) await refresh()
    let matched = matchEvents(configuration, open, outcomes)
    if (round === 0 && matched.objections) {
      // What the catalogue refuses never meets the guarded insert, which would tell that the catalogue is an old one.
      await refresh()
      matched = matchEvents(configuration, open, outcomes)
    }
    dropUnusedBodies(deps, matched.refused)
    open = matched.items
    const stale: Prepared[] = []
    for (const slice of chunksByWeight(open, ENTRY_CHARS_MAX, charsOf))
      stale.push(...(await commitSlice(deps, configuration, slice, outcomes)))
    open = stale
  }
  for (const { at } of open) outcomes[at] = { kind: 'contended' }
  dropUnusedBodies(deps, open)
  return outcomes
}

/** Settles everything that does not depend on the match: reserved ids, repeated keys, hashes, large texts. */
async function prepare(
  deps: PublishDeps,
  configuration: CompiledConfiguration,
  items: readonly Publishable[],
  outcomes: PublishOutcome[],
): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  for (const [at, { draft, idempotencyKey, exceptNo = null }] of items.entries()) {
    if (isReservedId(draft.ownId, configuration.no)) {
      outcomes[at] = { kind: 'own_id_reserved' }
      continue
    }
    const keys = [
      draft.ownId === null ? [] : [`i:${draft.ownId}`],
      idempotencyKey === null ? [] : [`k:${idempotencyKey}`],
    ]
    const event: NewEvent = {
      type: draft.type,
      ownId: draft.ownId,
      fanout: [],
      body: draftBody(draft, configuration.settings),
      bodyKey: null,
      isTest: false,
      deliverAtMs: draft.deliverAtMs,
      expiresAfterSeconds: draft.expiresAfterSeconds,
      keys: keys.flat(),
      hash: draft.ownId === null && idempotencyKey === null ? null : await deps.digest(draft.content),
    }
    prepared.push({ at, event, draft, warnings: [], exceptNo })
  }
  await storeLargeBodies(deps, prepared)
  return prepared
}

/** Whether events that leave something to the workspace are not the same under two settings. */
function stampsOtherwise(one: EventDefaults, other: EventDefaults): boolean {
  return one.livemode !== other.livemode || one.apiVersion !== other.apiVersion
}

/** Writes the texts anew: an event must be stored with the settings that it is matched under. */
async function stamp(
  deps: PublishDeps,
  { settings }: CompiledConfiguration,
  open: readonly Prepared[],
): Promise<Prepared[]> {
  dropUnusedBodies(deps, open)
  const stamped = open.map((item) => {
    return { ...item, event: { ...item.event, body: draftBody(item.draft, settings), bodyKey: null } }
  })
  await storeLargeBodies(deps, stamped)
  return stamped
}

/** A generated id of this very workspace would make two events answer to one name. */
export function isReservedId(ownId: string | null, workspaceNo: number): boolean {
  return ownId !== null && decodePublicId('evt_', ownId)?.owner === workspaceNo
}

async function storeLargeBodies(deps: PublishDeps, prepared: readonly Prepared[]): Promise<void> {
  const large = prepared.filter(({ event }) => (event.body?.length ?? 0) > INLINE_BODY_CHARS_MAX)
  for (const chunk of chunksOf(large, R2_PUTS_IN_FLIGHT)) {
    await Promise.all(
      chunk.map(async (item) => {
        const bodyKey = deps.newKey()
        await putBody(deps.bodies, bodyKey, item.event.body ?? '')
        item.event = { ...item.event, body: null, bodyKey }
      }),
    )
  }
}

/** When a commit happens, and from where on its numbers and idempotency keys count. */
export function commitClock(now: () => number): CommitDeps['clock'] {
  return () => {
    const acceptedAtMs = now()
    return {
      acceptedAtMs,
      seqFloor: seqFloor(acceptedAtMs),
      keyFloor: seqFloor(acceptedAtMs - IDEMPOTENCY_KEY_MS),
    }
  }
}

/** Commits one slice and fills in its outcomes; answers the events that must be matched again. */
async function commitSlice(
  deps: PublishDeps,
  configuration: CompiledConfiguration,
  slice: readonly Prepared[],
  outcomes: PublishOutcome[],
): Promise<Prepared[]> {
  const { firsts, repeats } = splitRepeatedKeys(slice)
  const entry = {
    workspaceNo: configuration.no,
    configVersion: configuration.configVersion,
    events: firsts.map(({ event }) => event),
  }
  const clock = commitClock(deps.now)
  const result = await deps.commits.commit(
    entry,
    { db: deps.db, clock, onCommitted: deps.onCommitted },
    deps.now(),
  )
  if (result.kind === 'stale') return [...slice]
  result.results.forEach((inserted, i) => {
    const item = firsts[i]
    if (item !== undefined) outcomes[item.at] = outcomeOf(configuration.no, item, inserted)
  })
  const unused = firsts.filter((_, i) => result.results[i]?.kind === 'exists')
  dropUnusedBodies(deps, unused)
  const undecided = repeats.filter((item) => !decideRepeat(item, firsts, outcomes))
  dropUnusedBodies(
    deps,
    repeats.filter((item) => !undecided.includes(item)),
  )
  return undecided.length === 0 ? [] : await commitSlice(deps, configuration, undecided, outcomes)
}

/** An event that names the key of an earlier one in the same request is its duplicate or in conflict with it. */
function decideRepeat(item: Prepared, firsts: readonly Prepared[], outcomes: PublishOutcome[]): boolean {
  const first = firsts.find((other) => other.event.keys.some((key) => item.event.keys.includes(key)))
  const outcome = first === undefined ? undefined : outcomes[first.at]
  if (first === undefined || outcome === undefined) return false
  if (outcome.kind !== 'accepted' && outcome.kind !== 'duplicate') return false
  const isOwnId = first.event.ownId !== null && first.event.ownId === item.event.ownId
  outcomes[item.at] =
    first.event.hash === item.event.hash
      ? { kind: 'duplicate', id: outcome.id, matched: outcome.matched }
      : { kind: 'conflict', key: isOwnId ? 'id' : 'Idempotency-Key' }
  return true
}

/** Events of one request that name a key again go after the first, which then decides about them. */
function splitRepeatedKeys(slice: readonly Prepared[]): { firsts: Prepared[]; repeats: Prepared[] } {
  const seen = new Set<string>()
  const firsts: Prepared[] = []
  const repeats: Prepared[] = []
  for (const item of slice) {
    const repeated = item.event.keys.some((key) => seen.has(key))
    for (const key of item.event.keys) seen.add(key)
    ;(repeated ? repeats : firsts).push(item)
  }
  return { firsts, repeats }
}

function outcomeOf(workspaceNo: number, { event, warnings }: Prepared, result: InsertResult): PublishOutcome {
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

function dropUnusedBodies(deps: PublishDeps, items: readonly Prepared[]): void {
  const keys = items.flatMap(({ event }) => (event.bodyKey === null ? [] : [event.bodyKey]))
  if (keys.length > 0) deps.background(deleteBodies(deps.bodies, keys))
}

/** About how many characters an event takes in the statement that writes it. */
function charsOf({ event }: Prepared): number {
  return (event.body?.length ?? 0) + event.fanout.length * 8 + 256
}
