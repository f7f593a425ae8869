import { env } from 'cloudflare:workers'
import { CallerLimits, type LimitedKey } from '../../../src/api/limits/caller-limits.ts'
import type { LimitsChange } from '../../../src/limits/limits.ts'
import type { PublishOutcome } from '../../../src/publish/prepared-event.ts'
import { publish } from '../../../src/publish/publish.ts'
import { changeWorkspaceSettings, useWorkspace } from '../../../src/workspace/settings.sql.ts'
import { draft, type EventInput, type Rig } from '../../support/rig/builders.ts'

/** Sets limits of a rig's workspace, as the operator does. */
export async function limitWorkspace(rig: Rig, limits: LimitsChange): Promise<void> {
  const workspace = await useWorkspace(env.DB, rig.workspace, rig.clock.nowMs)
  await changeWorkspaceSettings(env.DB, workspace, { limits })
}

/** Publishes as a caller who is held to limits, and waits for the reports of it. */
export async function publishLimited(
  rig: Rig,
  events: readonly EventInput[],
  key: LimitedKey = null,
): Promise<PublishOutcome[]> {
  const background: Promise<unknown>[] = []
  const keep = (work: Promise<unknown>) => void background.push(work)
  const limits = new CallerLimits({ ...rig.relay.limits, now: rig.relay.now, background: keep }, key)
  const deps = { ...rig.relay.publish(keep), admit: limits.admitEvents }
  const items = events.map((event) => ({ draft: draft(event), idempotencyKey: null }))
  const outcomes = await publish(deps, rig.workspace, items)
  while (background.length > 0) await Promise.allSettled(background.splice(0))
  return outcomes
}

/** So many events, each with data of its own. */
export function someEvents(count: number): EventInput[] {
  return Array.from({ length: count }, (_, n) => ({ data: { n } }))
}

export function countAccepted(outcomes: readonly PublishOutcome[]): number {
  return outcomes.filter(({ kind }) => kind === 'accepted').length
}
