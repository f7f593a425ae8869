import { compileMatcher, type Matcher } from '../domain/matcher.ts'
import { ensureWorkspace, loadConfiguration, type WorkspaceConfiguration } from '../storage/workspaces.ts'

/** A workspace's configuration, compiled for matching. */
export type CompiledConfiguration = { no: number; configVersion: number; matcher: Matcher }

const WORKSPACES_MAX = 500

/**
 * Compiled configurations in the isolate's memory. They may be out of date without harm: the insert of events checks
 * the version, and a publish that was matched against an old one is matched again.
 */
export class ConfigurationCache {
  readonly #compiled = new Map<string, CompiledConfiguration>()

  /** The cached configuration, else a fresh one; a workspace is created on first use. */
  async get(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    return this.#compiled.get(workspaceId) ?? (await this.refresh(db, workspaceId, nowMs))
  }

  /** Reads the configuration from D1 and keeps it. */
  async refresh(db: D1Database, workspaceId: string, nowMs: number): Promise<CompiledConfiguration> {
    const compiled = compile(await loadOrCreate(db, workspaceId, nowMs))
    this.#compiled.delete(workspaceId)
    this.#compiled.set(workspaceId, compiled)
    if (this.#compiled.size > WORKSPACES_MAX) this.#forgetOldest()
    return compiled
  }

  #forgetOldest(): void {
    for (const id of this.#compiled.keys()) {
      this.#compiled.delete(id)
      return
    }
  }
}

async function loadOrCreate(db: D1Database, id: string, nowMs: number): Promise<WorkspaceConfiguration> {
  const found = await loadConfiguration(db, id)
  if (found !== null) return found
  await ensureWorkspace(db, id, nowMs)
  const created = await loadConfiguration(db, id)
  if (created === null) throw new Error('a workspace vanished after its creation')
  return created
}

function compile({ no, configVersion, subscriptions }: WorkspaceConfiguration): CompiledConfiguration {
  return { no, configVersion, matcher: compileMatcher(subscriptions) }
}
