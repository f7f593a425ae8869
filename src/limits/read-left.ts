import { dayOf, untilNextDayMs } from './counters.ts'
import type { Limiters } from './limiter/client.ts'
import { LIMIT_NAMES, type LimitName, type LimitSubject } from './limits.ts'
import type { WorkspaceUse } from './workspace-use.ts'

export type ReadLeftDeps = {
  limiters: Limiters
  now: () => number
  /** What the workspace has of what is not counted by use. */
  countSubscriptions: () => Promise<number>
  countStored: () => Promise<number>
}

/** One limit, and what is left of it over all isolates; per second: in this one. */
export type LimitState = { limit: number; left: number; resetSeconds: number | null }

/** All limits of one subject, for a caller who asks. */
export type SubjectState = { subject: string; limits: Partial<Record<LimitName, LimitState>> }

/** Reads what is left of limits: at the cost of a call for each day's limit, and of one read for what is stored. */
export async function readLeft(
  deps: ReadLeftDeps,
  use: WorkspaceUse,
  subjects: readonly LimitSubject[],
): Promise<SubjectState[]> {
  const nowMs = deps.now()
  const counted = use.left(subjects, nowMs)
  return await Promise.all(
    subjects.map(async ({ id, limits }) => {
      const states: SubjectState['limits'] = {}
      for (const name of LIMIT_NAMES) {
        const limit = limits[name]
        if (limit === null) continue
        const here = counted.find((each) => each.subject === id && each.name === name)?.left ?? limit
        states[name] = await readState(deps, { name, limit, here, subject: id, workspaceNo: use.workspaceNo })
      }
      return { subject: id, limits: states }
    }),
  )
}

type Asked = { name: LimitName; limit: number; here: number; subject: string; workspaceNo: number }

async function readState(
  { limiters, now, countSubscriptions, countStored }: ReadLeftDeps,
  { name, limit, here, subject, workspaceNo }: Asked,
): Promise<LimitState> {
  const nowMs = now()
  const state = (left: number, resetSeconds: number | null) => ({
    limit,
    left: Math.max(0, left),
    resetSeconds,
  })
  switch (name) {
    case 'requestsPerSecond':
    case 'eventsPerSecond':
      return state(here, 1)
    case 'eventsPerDay': {
      const accepted = await limiters.acceptedOn(workspaceNo, subject, dayOf(nowMs))
      return state(Math.min(here, limit - accepted), Math.ceil(untilNextDayMs(nowMs) / 1000))
    }
    case 'subscriptions':
      return state(limit - (await countSubscriptions()), null)
    case 'storedEvents':
      return state(Math.min(here, limit - (await countStored())), null)
    case 'payloadBytes':
      return state(limit, null)
  }
}
