import type { Log } from '../../base/log.ts'
import { LimitUse } from '../../limits/limit-use.ts'
import { type LimiterNamespace, Limiters } from '../../limits/limiter/client.ts'
import { readStoredEvents } from '../../store/stored-events.sql.ts'
import { WorkspaceLimits } from '../../workspace/workspace-limits.ts'
import type { ConfigurationCache } from '../configuration-cache.ts'

/** The limits of workspaces and keys, and this isolate's use of them. */
export type IsolateLimits = {
  use: LimitUse
  limiters: Limiters
  workspaces: WorkspaceLimits
  /** Those that the cached configurations hold. */
  known: ConfigurationCache['limitsOf']
}

type IsolateLimitsDeps = {
  db: D1Database
  limiters: LimiterNamespace
  configurations: ConfigurationCache
  now: () => number
  newKey: () => string
  sleep: (ms: number) => Promise<void>
  log: Log
}

/** Makes what an isolate keeps of limits. */
export function isolateLimits(deps: IsolateLimitsDeps): IsolateLimits {
  const { db, configurations, now } = deps
  const limiters = new Limiters(deps.limiters)
  const readStored = async (workspaceNo: number) => await readStoredEvents(db, workspaceNo)
  return {
    use: new LimitUse({ ...deps, limiters, readStored }),
    limiters,
    workspaces: new WorkspaceLimits(db, now),
    known: (workspaceId) => configurations.limitsOf(workspaceId),
  }
}
