import type { Caller } from '../../access/caller.ts'
import type { Reached } from '../../limits/count-use.ts'
import {
  areCounted,
  type LimitSubject,
  type Limits,
  limitedSubjects,
  lowestLimit,
  readLimits,
} from '../../limits/limits.ts'
import { readLeft, type SubjectState } from '../../limits/read-left.ts'
import type { Admission, LimitLeft } from '../../limits/workspace-use.ts'
import type { AdmitEvents, EventAdmission } from '../../publish/admission/admit-events.ts'
import type { Relay } from '../../relay.ts'
import type { LimitedWorkspace } from '../../workspace/workspace-limits.ts'
import type { RouteAccess } from '../caller/auth.ts'

export type CallerLimitsDeps = Relay['limits'] & {
  now: () => number
  /** Keeps work alive after the answer. */
  background: (work: Promise<unknown>) => void
}

/** Counts what a workspace, by its number, has in D1. */
export type StoreCounts = {
  countSubscriptions: (workspaceNo: number) => Promise<number>
  countStored: (workspaceNo: number) => Promise<number>
}

/** The key that a call was made with, if it has limits of its own. */
export type LimitedKey = { id: string; limits: Limits } | null

/** The limits of the key that a caller holds. */
export function limitedKey(caller: Caller): LimitedKey {
  if (caller.kind !== 'key' || caller.limits === null) return null
  return { id: caller.keyId, limits: readLimits(caller.limits) }
}

/** Holds one caller to the limits of their workspace and key. */
export class CallerLimits {
  readonly #deps: CallerLimitsDeps
  readonly #key: LimitedKey
  #counted: { workspaceNo: number; subjects: readonly LimitSubject[] } | null = null

  constructor(deps: CallerLimitsDeps, key: LimitedKey) {
    this.#deps = deps
    this.#key = key
  }

  /** The key's own limit of the workspace's subscriptions. */
  get subscriptionsMax(): number | null {
    return this.#key?.limits.subscriptions ?? null
  }

  /**
   * Admits the call itself, or says which limit it has reached. A publish asks the cached configuration:
   * the first one of an isolate passes, and finds the limits out. Other calls wait for a read of them
   * where the isolate has none. The operator's own have no limit.
   */
  async admitCall({ kind, workspaceId }: Caller, { scope }: RouteAccess): Promise<Reached | null> {
    const workspace = await this.#limitedWorkspace(workspaceId, {
      isPublish: scope === 'events:publish',
      isOperator: kind === 'operator',
    })
    return workspace === null ? null : this.#admitRequest(workspace)
  }

  /** Reads what is left of all limits, over all isolates where they are known there. */
  async read(workspaceId: string, counts: StoreCounts): Promise<SubjectState[]> {
    const { use, limiters, workspaces, now, background } = this.#deps
    const workspace = await workspaces.of(workspaceId, background)
    if (workspace === null) return []
    const { no, limits } = workspace
    const subjects = limitedSubjects(limits, this.#key)
    if (subjects.length === 0) return []
    const countSubscriptions = () => counts.countSubscriptions(no)
    const countStored = () => counts.countStored(no)
    return await readLeft(
      { limiters, now, countSubscriptions, countStored },
      use.of(no, background),
      subjects,
    )
  }

  async #limitedWorkspace(
    workspaceId: string,
    { isPublish, isOperator }: { isPublish: boolean; isOperator: boolean },
  ): Promise<LimitedWorkspace> {
    const { known, workspaces, background } = this.#deps
    if (isPublish) return known(workspaceId) ?? null
    return isOperator ? null : await workspaces.of(workspaceId, background)
  }

  #admitRequest({ no, limits }: { no: number; limits: Limits }): Reached | null {
    const subjects = this.#count(no, limits)
    if (!subjects.some(({ limits: { requestsPerSecond } }) => requestsPerSecond !== null)) return null
    const { use, now, background } = this.#deps
    return use.of(no, background).admitRequest(subjects, now())
  }

  /** Admits events of the call. What becomes of them is reported as well. */
  admitEvents: AdmitEvents = ({ no, settings }, count) => {
    const subjects = this.#count(no, settings.limits)
    if (subjects.length === 0) return null
    const payloadBytesMax = lowestLimit(subjects, 'payloadBytes')?.limit ?? null
    if (!areCounted(subjects)) return { ...admitAll(count), payloadBytesMax }
    const { use, now, background } = this.#deps
    const admission = use.of(no, background).admitEvents(subjects, count, now)
    const settle = (accepted: number) => {
      admission.settle(accepted)
      use.of(no, background)
    }
    return { ...admission, settle, payloadBytesMax } satisfies EventAdmission
  }

  /** What is left of the limits that the call was held to. */
  left(): LimitLeft[] {
    if (this.#counted === null) return []
    const { workspaceNo, subjects } = this.#counted
    const { use, now, background } = this.#deps
    return use.of(workspaceNo, background).left(subjects, now())
  }

  #count(workspaceNo: number, limits: Limits): readonly LimitSubject[] {
    const subjects = limitedSubjects(limits, this.#key)
    if (areCounted(subjects)) this.#counted = { workspaceNo, subjects }
    return subjects
  }
}

function admitAll(count: number): Admission {
  return { granted: count, reached: null, settle: () => undefined }
}
