import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { type Catalogue, compileCatalogue } from '../catalogue/catalogue.ts'
import { compileMatcher, type Matchable, type Matcher, type Narrowed } from '../match/matcher.ts'
import { type CompiledRules, compileRules, storedRulesSchema } from '../match/rules.ts'
import { type RequiredValue, requiredValues } from '../match/value-index.ts'
import {
  type PacedSubscription,
  planWaiting,
  storedPacingSchema,
  type WaitingPlan,
} from '../pacing/waiting.ts'
import type { WorkspaceSettings } from '../workspace/settings.ts'
import { ensureWorkspace } from '../workspace/workspaces.sql.ts'
import { loadConfiguration, type StoredMatchable, type WorkspaceConfiguration } from './configuration.sql.ts'

/** A workspace's configuration, compiled for matching. */
export type CompiledConfiguration = {
  no: number
  configVersion: number
  settings: WorkspaceSettings
  matcher: Matcher
  catalogue: Catalogue
  /** The deliveries that wait from their publish on; null where none do. */
  waiting: WaitingPlan | null
}

type KnownRules = { rules: CompiledRules; required: readonly RequiredValue[] }

const WORKSPACES_MAX = 500
const RULES_MAX = 5_000

/**
 * Compiled configurations in the isolate's memory. An old one does no harm: the insert of events
 * checks the version, and a publish that was matched against an old one is matched again.
 */
export class ConfigurationCache {
  readonly #compiled = new BoundedMap<string, CompiledConfiguration>(WORKSPACES_MAX)
  /**
   * Compiled rules by their text: a change of one subscription does not compile all others again.
   */
  readonly #rules = new BoundedMap<string, KnownRules>(RULES_MAX)

  /** The cached configuration, else a fresh one; a workspace is created on first use. */
  async get(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    return this.#compiled.get(workspaceId) ?? (await this.refresh(db, workspaceId, nowMs))
  }

  /** Reads the configuration from D1 and keeps it. */
  async refresh(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    const compiled = this.#compile(await loadOrCreate(db, workspaceId, nowMs))
    this.#compiled.set(workspaceId, compiled)
    return compiled
  }

  #compile(configuration: WorkspaceConfiguration): CompiledConfiguration {
    const { no, configVersion, settings, subscriptions, catalogue } = configuration
    return {
      no,
      configVersion,
      settings,
      matcher: compileMatcher(subscriptions.map((subscription) => this.#matchable(subscription))),
      catalogue: compileCatalogue(catalogue, settings.eventTypeEnforcement),
      waiting: planWaiting(subscriptions.flatMap(pacedOf)),
    }
  }

  #matchable({ no, active, events, livemode, apiVersion, rules }: StoredMatchable): Matchable {
    const narrowed: Narrowed | null =
      livemode === null && apiVersion === null && rules === null
        ? null
        : { livemode, apiVersion, ...(rules === null ? { rules } : this.#rulesOf(rules)) }
    return { no, active, events, narrowed }
  }

  /**
   * Compiled at the first event that asks for them: most changes are to one of many subscriptions.
   */
  #rulesOf(text: string): KnownRules {
    const known = this.#rules.get(text)
    if (known !== undefined) return known
    const stored = storedRulesSchema.parse(JSON.parse(text))
    let compiled: CompiledRules | null = null
    const lazy: CompiledRules = (view) => {
      compiled ??= compileRules(stored)
      return compiled(view)
    }
    const read = { rules: lazy, required: requiredValues(stored) }
    this.#rules.set(text, read)
    return read
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
