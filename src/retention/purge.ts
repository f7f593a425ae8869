import * as z from 'zod'
import { purgeEntries } from '../audit/purge-entries.ts'
import { lastRun, recordRun } from '../store/jobs.sql.ts'
import { removeLeftovers } from './leftovers.ts'
import { type PurgeDeps, type PurgeReport, PurgeRun } from './purge-run.ts'
import { StepsLeft } from './steps-left.ts'

const JOB = 'purge'
/** One step in this many is kept for leftovers, so that a backlog of events never holds them up. */
const LEFTOVERS_SHARE = 4

/**
 * Removes events past their retention, in steps of up to 12 D1 statements (about 20 with archives),
 * then leftovers and old rows of audit logs; nothing above the watermark. Safe to run twice, side by side, and to be killed: a
 * step is one transaction, and its objects in R2 go after it.
 */
export async function purge(deps: PurgeDeps, { stepsMax }: { stepsMax: number }): Promise<PurgeReport> {
  const last = resumeSchema.parse((await lastRun(deps.db, JOB))?.report ?? {})
  const nowMs = deps.now()
  const kept = Math.floor(stepsMax / LEFTOVERS_SHARE)
  const steps = new StepsLeft(stepsMax - kept)
  const run = new PurgeRun(deps, { steps, nowMs })
  const isDone = await run.purgeWorkspaces({ aboveNo: last.resumeAboveNo, untilNo: Number.POSITIVE_INFINITY })
  if (isDone && last.resumeAboveNo > 0) await run.purgeWorkspaces({ aboveNo: 0, untilNo: last.resumeAboveNo })
  await run.purgeRestored()
  steps.add(kept)
  const tidied = await removeLeftovers(deps, last.tidied, { steps, nowMs })
  const audited = await purgeEntries(deps.db, { nowMs, takeStep: () => steps.take() })
  const report = { ...run.report, tidied, audited }
  await recordRun(deps.db, JOB, { ranAtMs: nowMs, report })
  return report
}

const positionSchema = z.object({
  workspaceNo: z.number().default(0),
  subscriptionNo: z.number().nullable().default(0),
  key: z.string().default(''),
  roundAtMs: z.number().default(0),
  bodiesAfter: z.string().default(''),
  bodiesRoundAtMs: z.number().default(0),
})
const resumeSchema = z.object({
  resumeAboveNo: z.number().default(0),
  tidied: positionSchema.prefault({}),
})
