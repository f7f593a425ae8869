import type { WorkspaceAccess } from '../access/isolate-access.ts'
import type { AccessRefusal } from '../access/key.ts'
import { chunksByWeight, chunksOf } from '../base/chunks.ts'
import { areSameLimits } from '../limits/limits.ts'
import { draftBody, type EventDefaults } from '../model/event.ts'
import { deleteBodies } from '../store/bodies.ts'
import { type AdmitEvents, type EventAdmission, limitedOutcome } from './admission/admit-events.ts'
import { commitChunk } from './commit/commit-chunk.ts'
import type { CommitDeps, GroupCommit } from './commit/group-commit.ts'
import type { CompiledConfiguration, ConfigurationCache } from './configuration-cache.ts'
import { type BodyDeps, isLargeBody, placeBody } from './event-body.ts'
import { type MatchedEvents, matchEvents } from './match-events.ts'
import {
  isReservedId,
  type Prepared,
  type Publishable,
  type PublishOutcome,
  prepareEvent,
} from './prepared-event.ts'

export type PublishDeps = BodyDeps &
  CommitDeps & {
    configurations: ConfigurationCache
    commits: GroupCommit
    /** Judges the publisher under each configuration that events are to be committed under; null lets it. */
    judge: (access: WorkspaceAccess) => AccessRefusal | null
    /** Holds the publisher to limits. */
    admit: AdmitEvents
    /** Keeps work alive after the answer. */
    background: (work: Promise<unknown>) => void
  }

/** Rounds in which a publish is matched afresh before it gives up. */
export const MATCH_ROUNDS_MAX = 8
/** Characters of one commit entry; a larger request is committed in several. */
const ENTRY_CHARS_MAX = 500_000
/** The characters that take as long to commit as one delivery: twenty thousand are committed at once, and others between. */
const CHARS_PER_DELIVERY = 24
const R2_PUTS_IN_FLIGHT = 4

/**
 * Publishes events of one workspace and answers in input order once they are committed. A refused
 * event does not keep the others from being accepted. Rejects when the store fails; events of
 * earlier chunks may then have been committed.
 */
export async function publish(
  deps: PublishDeps,
  workspaceId: string,
  items: readonly Publishable[],
): Promise<PublishOutcome[]> {
  const configuration = await deps.configurations.get(deps.db, workspaceId, deps.now())
  const run = new PublishRun(deps, workspaceId, configuration)
  try {
    await run.prepare(items)
    for (let round = 0; run.hasOpenEvents && round < MATCH_ROUNDS_MAX; round++) {
      const matched = round === 0 ? await run.matchFirst() : await run.matchAgain()
      await run.commit(matched)
    }
    return run.finish()
  } finally {
    run.settle()
  }
}

/** One publish: its events are open until each has an outcome. */
class PublishRun {
  readonly #deps: PublishDeps
  readonly #workspaceId: string
  #configuration: CompiledConfiguration
  #open: Prepared[] = []
  readonly #outcomes: PublishOutcome[] = []
  #admission: EventAdmission | null = null
  /** Accepted events of admissions before this one. */
  #settled = 0

  constructor(deps: PublishDeps, workspaceId: string, configuration: CompiledConfiguration) {
    this.#deps = deps
    this.#workspaceId = workspaceId
    this.#configuration = configuration
  }

  get hasOpenEvents(): boolean {
    return this.#open.length > 0
  }

  /** Decides all that does not depend on the match: limits, reserved ids, keys, hashes, large texts. */
  async prepare(items: readonly Publishable[]): Promise<void> {
    const { no, settings } = this.#configuration
    const admission = this.#admit(items.length)
    for (const [at, item] of items.entries()) {
      const limited = limitedOutcome(admission, item.draft, at)
      if (limited !== null) this.#outcomes[at] = limited
      else if (isReservedId(item.draft.ownId, no)) this.#outcomes[at] = { kind: 'own_id_reserved' }
      else this.#open.push(await prepareEvent(item, at, settings))
    }
    await this.#placeBodies()
  }

  /**
   * Matches under the configuration at hand. The guarded insert tells when that is an old one, but
   * an event that the catalogue refuses, or whose publisher is refused, never meets it: refusals count
   * under a fresh configuration only.
   */
  async matchFirst(): Promise<MatchedEvents> {
    if (this.#refusal() !== null) return await this.matchAgain()
    const matched = await matchEvents(this.#configuration, this.#open)
    return matched.hasObjections ? await this.matchAgain() : matched
  }

  /** Matches under the newest configuration. */
  async matchAgain(): Promise<MatchedEvents> {
    const { settings } = this.#configuration
    const { db, now, configurations } = this.#deps
    this.#configuration = await configurations.refresh(db, this.#workspaceId, now())
    const refusal = this.#refusal()
    if (refusal !== null) return this.#refuseAll(refusal)
    if (!areSameLimits(settings.limits, this.#configuration.settings.limits)) this.#admitAgain()
    if (writesOtherwise(settings, this.#configuration.settings)) await this.#writeTextsAgain()
    return await matchEvents(this.#configuration, this.#open)
  }

  /** Commits matched events; those whose match is out of date stay open. */
  async commit({ items, refused }: MatchedEvents): Promise<void> {
    for (const { item, outcome } of refused) this.#outcomes[item.at] = outcome
    this.#dropBodies(refused.map(({ item }) => item))
    const stale: Prepared[] = []
    const chunks = [...chunksByWeight(items, ENTRY_CHARS_MAX, weightOf)]
    for (const chunk of chunks) {
      const { decided, open } = await commitChunk(this.#deps, this.#configuration, {
        items: chunk,
        isWhole: chunks.length === 1,
      })
      for (const { item, outcome } of decided) this.#outcomes[item.at] = outcome
      this.#dropBodies(decided.filter(({ outcome }) => outcome.kind !== 'accepted').map(({ item }) => item))
      stale.push(...open)
    }
    this.#open = stale
  }

  /** The outcomes in input order; an event that is still open could not be matched in time. */
  finish(): PublishOutcome[] {
    for (const { at } of this.#open) this.#outcomes[at] = { kind: 'contended' }
    this.#dropBodies(this.#open)
    return this.#outcomes
  }

  #refusal(): AccessRefusal | null {
    return this.#deps.judge(this.#configuration.access)
  }

  #refuseAll(refusal: AccessRefusal): MatchedEvents {
    const refused = this.#open.map((item) => ({ item, outcome: { kind: 'refused', refusal } as const }))
    return { items: [], refused, hasObjections: false }
  }

  /** Ends what the limits' counters hold for this publish. */
  settle(): void {
    const accepted = this.#outcomes.filter((outcome) => outcome?.kind === 'accepted').length
    this.#admission?.settle(accepted - this.#settled)
    this.#settled = accepted
    this.#admission = null
  }

  #admit(count: number): EventAdmission | null {
    this.#admission = this.#deps.admit(this.#configuration, count)
    return this.#admission
  }

  /** Limits that have changed count for the very publish that finds out. */
  #admitAgain(): void {
    this.settle()
    const admission = this.#admit(this.#open.length)
    const isRefused = (item: Prepared, i: number) => {
      const limited = limitedOutcome(admission, item.draft, i)
      if (limited !== null) this.#outcomes[item.at] = limited
      return limited !== null
    }
    const refused = new Set(this.#open.filter(isRefused))
    this.#open = this.#open.filter((item) => !refused.has(item))
    this.#dropBodies([...refused])
  }

  /** An event must be stored with the settings that it is matched under. */
  async #writeTextsAgain(): Promise<void> {
    const { settings } = this.#configuration
    this.#dropBodies(this.#open)
    this.#open = this.#open.map((item) => {
      const body = draftBody(item.draft, settings)
      return { ...item, event: { ...item.event, body, bodyKey: null } }
    })
    await this.#placeBodies()
  }

  async #placeBodies(): Promise<void> {
    const large = this.#open.filter(({ event }) => isLargeBody(event.body))
    for (const chunk of chunksOf(large, R2_PUTS_IN_FLIGHT)) {
      await Promise.all(
        chunk.map(async (item) => {
          item.event = { ...item.event, ...(await placeBody(this.#deps, item.event.body ?? '')) }
        }),
      )
    }
  }

  /** Removes large texts that no row names, after the answer. */
  #dropBodies(items: readonly Prepared[]): void {
    const keys = items.flatMap(({ event }) => (event.bodyKey === null ? [] : [event.bodyKey]))
    if (keys.length > 0) this.#deps.background(deleteBodies(this.#deps.bodies, keys))
  }
}

/** True where an event that leaves something to the workspace differs under two settings. */
function writesOtherwise(one: EventDefaults, other: EventDefaults): boolean {
  return one.livemode !== other.livemode || one.apiVersion !== other.apiVersion
}

/** Estimates the characters of an event in the statement that writes it; its deliveries cost more than their numbers. */
function weightOf({ event }: Prepared): number {
  return (event.body?.length ?? 0) + event.fanout.length * CHARS_PER_DELIVERY + 256
}
