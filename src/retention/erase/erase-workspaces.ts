import { describeError } from '../../base/log.ts'
import {
  type DeletedWorkspace,
  deletionsToRun,
  leaseDeletion,
  removeBare,
  saveDeletion,
} from '../../workspace/deletion.sql.ts'
import type { Deletion } from '../../workspace/deletion.ts'
import { StepsLeft } from '../steps-left.ts'
import { type EraseDeps, EraseStep } from './erase-step.ts'

export type EraseWorkspacesDeps = EraseDeps & {
  newId: () => string
  sleep: (ms: number) => Promise<void>
}

/** The work that a run did. */
export type EraseReport = {
  steps: number
  /** Workspaces of which nothing is left. */
  ended: number
  /** Deletions that failed, to be tried again by the next run. */
  failed: number
  /** The failure of the first of them. */
  error: string | null
}

/** A run that was killed keeps the others from its deletion no longer than this. */
const LEASE_MS = 60_000
const WORKSPACES_PER_RUN = 20
/** Pause between steps: back to back, a publish would wait for one after the other. */
const STEP_PAUSE_MS = 50

/**
 * Erases workspaces whose deletion was requested, in steps of up to eight D1 statements and some hundred rows. Each step
 * can be repeated, and killed anywhere: rows go after the objects they name, and the place is written after the step.
 */
export async function eraseWorkspaces(
  deps: EraseWorkspacesDeps,
  { stepsMax }: { stepsMax: number },
): Promise<EraseReport> {
  const report: EraseReport = { steps: 0, ended: 0, failed: 0, error: null }
  const steps = new StepsLeft(stepsMax)
  for (const workspace of await deletionsToRun(deps.db, deps.now(), WORKSPACES_PER_RUN)) {
    if (steps.isSpent) break
    try {
      await eraseWorkspace(deps, workspace, { steps, report })
    } catch (error) {
      report.failed++
      report.error ??= describeError(error)
    }
  }
  await removeBare(deps.db)
  return report
}

/** Goes on with one deletion until it ends, has to wait, or the steps run out. */
async function eraseWorkspace(
  deps: EraseWorkspacesDeps,
  { no, id }: DeletedWorkspace,
  { steps, report }: { steps: StepsLeft; report: EraseReport },
): Promise<void> {
  const nowMs = deps.now()
  const lease = { leaseId: deps.newId(), leasedUntilMs: nowMs + LEASE_MS, nowMs }
  let deletion = await leaseDeletion(deps.db, no, lease)
  while (deletion !== null && steps.take()) {
    report.steps++
    const { state, next } = await new EraseStep(deps, { no, id, deletion }).run()
    if (next === 'end') {
      report.ended++
      return
    }
    deletion = await keepPlace(deps, no, state)
    if (next === 'wait') break
    await deps.sleep(STEP_PAUSE_MS)
  }
  if (deletion !== null) await saveDeletion(deps.db, no, { ...deletion, leasedUntilMs: deps.now() })
}

/** Writes the place of a deletion and extends its lease; null when another run has taken it. */
async function keepPlace(
  { db, now }: EraseWorkspacesDeps,
  no: number,
  state: Deletion,
): Promise<Deletion | null> {
  const kept = { ...state, leasedUntilMs: now() + LEASE_MS }
  return (await saveDeletion(db, no, kept)) ? kept : null
}
