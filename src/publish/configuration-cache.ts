import type { WorkspaceAccess } from '../access/isolate-access.ts'
import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { type Catalogue, compileCatalogue } from '../catalogue/catalogue.ts'
import type { Limits } from '../limits/limits.ts'
import { compileMatcher, type Matchable, type Matcher, type Narrowed } from '../match/matcher.ts'
import {
  type PacedSubscription,
  planWaiting,
  storedPacingSchema,
  type WaitingPlan,
} from '../pacing/waiting.ts'
import type { WorkspaceSettings } from '../workspace/settings.ts'
import { ensureWorkspace } from '../workspace/workspaces.sql.ts'
import { loadConfiguration, type StoredMatchable, type WorkspaceConfiguration } from './configuration.sql.ts'
import { RulesCache } from './rules-cache.ts'

/** A workspace's configuration, compiled for matching. */
export type CompiledConfiguration = {
  no: number
  configVersion: number
  settings: WorkspaceSettings
  matcher: Matcher
  catalogue: Catalogue
  /** The deliveries that wait from their publish on; null where none do. */
  waiting: WaitingPlan | null
  access: WorkspaceAccess
}

const WORKSPACES_MAX = 500

/**
 * Compiled configurations in the isolate's memory. An old one does no harm: the insert of events
 * checks the version, and a publish that was matched against an old one is matched again.
 */
export class ConfigurationCache {
  readonly #compiled = new BoundedMap<string, CompiledConfiguration>(WORKSPACES_MAX)
  readonly #rules = new RulesCache()

  /** The cached configuration, else a fresh one; a workspace is created on first use. */
  async get(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    return this.#compiled.get(workspaceId) ?? (await this.refresh(db, workspaceId, nowMs))
  }

  /** What is cached of who may publish; undefined where nothing is. */
  accessOf(workspaceId: string): WorkspaceAccess | undefined {
    return this.#compiled.peek(workspaceId)?.access
  }

  /** What is cached of a workspace's limits; undefined where nothing is. */
  limitsOf(workspaceId: string): { no: number; limits: Limits } | undefined {
    const compiled = this.#compiled.peek(workspaceId)
    return compiled && { no: compiled.no, limits: compiled.settings.limits }
  }

  /** Reads the configuration from D1 and keeps it. */
  async refresh(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    const configuration = await loadOrCreate(db, workspaceId, nowMs)
    await this.#rules.compileLarge(configuration.subscriptions.flatMap(({ rules }) => rules ?? []))
    const compiled = this.#compile(configuration)
    this.#compiled.set(workspaceId, compiled)
    return compiled
  }

  #compile(configuration: WorkspaceConfiguration): CompiledConfiguration {
    const { no, configVersion, settings, subscriptions, catalogue, keys, portal } = configuration
    return {
      no,
      configVersion,
      settings,
      matcher: compileMatcher(subscriptions.map((subscription) => this.#matchable(subscription))),
      catalogue: compileCatalogue(catalogue, settings.eventTypeEnforcement),
      waiting: planWaiting(subscriptions.flatMap(pacedOf)),
      access: { keys: new Map(keys.map((key) => [key.id, key])), portal },
    }
  }

  #matchable({ no, active, events, livemode, apiVersion, rules }: StoredMatchable): Matchable {
    const narrowed: Narrowed | null =
      livemode === null && apiVersion === null && rules === null
        ? null
        : { livemode, apiVersion, ...(rules === null ? { rules } : this.#rules.of(rules)) }
    return { no, active, events, narrowed }
  }
}

function pacedOf({ no, active, pacing }: StoredMatchable): PacedSubscription[] {
  return pacing === null ? [] : [{ no, active, pacing: storedPacingSchema.parse(JSON.parse(pacing)) }]
}

async function loadOrCreate(db: D1Database, id: string, nowMs: number): Promise<WorkspaceConfiguration> {
  const found = await loadConfiguration(db, id)
  if (found !== null) return found
  await ensureWorkspace(db, id, nowMs)
  const created = await loadConfiguration(db, id)
  if (created === null) throw new Error('a workspace vanished after its creation')
  return created
}
