import { chunksOf } from '../base/chunks.ts'
import { describeError, type Log } from '../base/log.ts'
import { iso } from '../base/time.ts'
import { RequestSteps } from '../match/shared-steps.ts'
import { type DraftEvent, draftView } from '../model/event.ts'
import type { Announcement } from '../receiver/operational-event.ts'
import { MATCH_STEPS_PER_REQUEST_MAX } from './match-events.ts'
import { type PublishDeps, publish } from './publish.ts'

/** Announcements of one publish; an outage can exhaust thousands of deliveries at once. */
const PER_PUBLISH = 100

/**
 * Publishes operational events to the subscriptions that name them, except the one they are about.
 * One that no subscription wants is not stored. Never rejects: deliveries must not stop for news of
 * them.
 */
export async function announce(
  depsWith: (background: PublishDeps['background']) => PublishDeps,
  log: Log,
  announcements: readonly Announcement[],
): Promise<void> {
  if (announcements.length === 0) return
  const background: Promise<unknown>[] = []
  const publishDeps = depsWith((work) => void background.push(work))
  try {
    for (const [workspaceId, own] of Map.groupBy(announcements, (each) => each.workspaceId)) {
      for (const chunk of chunksOf(own, PER_PUBLISH)) await tell(publishDeps, workspaceId, chunk)
    }
  } catch (error) {
    log('announce.failed', { announcements: announcements.length, error: describeError(error) })
  }
  await Promise.allSettled(background)
}

async function tell(
  deps: PublishDeps,
  workspaceId: string,
  announcements: readonly Announcement[],
): Promise<void> {
  const { matcher, settings } = await deps.configurations.refresh(deps.db, workspaceId, deps.now())
  const nowIso = iso(deps.now())
  const steps = new RequestSteps(MATCH_STEPS_PER_REQUEST_MAX, announcements.length)
  const wanted = announcements.filter((each) => {
    const draft = draftOf(each, nowIso)
    const { livemode, apiVersion } = settings
    const event = { type: each.type, livemode, apiVersion, view: () => draftView(draft, settings) }
    const fanout = steps.share((shared) => matcher(event, shared))
    return fanout.some((no) => no > 0 && no !== each.aboutNo)
  })
  if (wanted.length === 0) return
  const items = wanted.map((each) => ({
    draft: draftOf(each, nowIso),
    // A slash keeps these keys apart from all that a caller can choose.
    idempotencyKey: `posthorn/${each.key}`,
    exceptNo: each.aboutNo,
  }))
  await publish(deps, workspaceId, items)
}

function draftOf({ type, data }: Announcement, nowIso: string): DraftEvent {
  return {
    type,
    ownId: null,
    timestamp: nowIso,
    livemode: null,
    apiVersion: null,
    deliverAtMs: null,
    expiresAfterSeconds: null,
    data: { text: JSON.stringify(data), value: data },
    context: { text: '{}', value: {} },
    content: JSON.stringify([type, data]),
  }
}
