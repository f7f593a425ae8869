import { BoundedMap } from '../base/concurrency/bounded-map.ts'
import { describeError, type Log } from '../base/log.ts'
import type { StoredCount } from './counters.ts'
import type { Limiters } from './limiter/client.ts'
import { WorkspaceUse } from './workspace-use.ts'

export type LimitUseDeps = {
  limiters: Limiters
  now: () => number
  newKey: () => string
  sleep: (ms: number) => Promise<void>
  log: Log
  /** Counts a workspace's stored events as D1 knows them; null while they are not counted. */
  readStored: (workspaceNo: number) => Promise<StoredCount | null>
}

const WORKSPACES_MAX = 1_000
/** Time between two reports: ten seconds to cut a use must hold several. */
const REPORT_EVERY_MS = 2_000
/** Reports of one request's background, which the platform ends after half a minute. */
const REPORTS_MAX = 10
/** A report that is this late was cancelled by the platform with the request it belonged to. */
const REPORT_LOST_MS = 15_000
/** D1's own count moves with sweeps and purges: once a minute, or two. */
const STORED_EVERY_MS = 10_000

/** What lasts of a workspace between reports. */
type Reporting = {
  use: WorkspaceUse
  /** Set while a report is to come, or under way. */
  dueSinceMs: number | null
  hasReported: boolean
  /** What D1 has counted, and when it was asked. */
  counted: StoredCount | null
  countedAtMs: number
}

/**
 * The isolate's use of limits. Each use of a workspace's limits makes sure that a report of it follows
 * in the background, which tells what the other isolates use; without uses there are no reports.
 */
export class LimitUse {
  readonly #deps: LimitUseDeps
  readonly #workspaces = new BoundedMap<number, Reporting>(WORKSPACES_MAX)

  constructor(deps: LimitUseDeps) {
    this.#deps = deps
  }

  /** A workspace's counters, for one use of them; `background` keeps the report alive. */
  of(workspaceNo: number, background: (work: Promise<unknown>) => void): WorkspaceUse {
    const { now, newKey } = this.#deps
    const reporting = this.#workspaces.get(workspaceNo) ?? {
      use: new WorkspaceUse(workspaceNo, newKey()),
      dueSinceMs: null,
      hasReported: false,
      counted: null,
      countedAtMs: Number.NEGATIVE_INFINITY,
    }
    this.#workspaces.set(workspaceNo, reporting)
    const nowMs = now()
    const { dueSinceMs } = reporting
    if (dueSinceMs === null || nowMs - dueSinceMs > REPORT_LOST_MS) {
      reporting.dueSinceMs = nowMs
      background(this.#reportUse(reporting))
    }
    return reporting.use
  }

  /**
   * Reports at even intervals for as long as there is use. The first report is made at once: only its
   * answer tells what others have used. Never throws.
   */
  async #reportUse(reporting: Reporting): Promise<void> {
    const { now, sleep } = this.#deps
    for (let reports = 0; reports < REPORTS_MAX; reports++) {
      await sleep(reporting.hasReported ? REPORT_EVERY_MS : 0)
      if (!reporting.use.isTouched) break
      reporting.dueSinceMs = now()
      reporting.hasReported = true
      await this.#report(reporting)
    }
    // Nothing is waited for from here to the end: what is used later begins anew.
    reporting.dueSinceMs = null
  }

  async #report(reporting: Reporting): Promise<void> {
    const { log, limiters, now } = this.#deps
    const { use } = reporting
    try {
      const counted = await this.#countStored(reporting)
      const sent = use.report(now(), counted)
      const reply = await limiters.report(use.workspaceNo, sent)
      use.adopt({ sent, reply, counted }, now())
    } catch (error) {
      log('limiter.unreachable', { workspaceNo: use.workspaceNo, error: describeError(error) })
    }
  }

  async #countStored(reporting: Reporting): Promise<StoredCount | null> {
    const { use, countedAtMs } = reporting
    const nowMs = this.#deps.now()
    if (use.countsStored && nowMs - countedAtMs >= STORED_EVERY_MS) {
      reporting.countedAtMs = nowMs
      reporting.counted = await this.#deps.readStored(use.workspaceNo)
    }
    return reporting.counted
  }
}
