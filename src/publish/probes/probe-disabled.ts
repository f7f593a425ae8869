import { iso } from '../../base/time.ts'
import { bodyText } from '../../model/event.ts'
import { resolveDisablePolicy } from '../../receiver/failure-budget.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { PublishDeps } from '../publish.ts'
import { commitTargetedEvent, type TargetedEvent } from '../targeted-event.ts'
import { markProbed, probeCandidates } from './probes.sql.ts'

/** The type of the event that asks whether a receiver is back. */
const PROBE_TYPE = 'posthorn.probe'

/** Subscriptions that one run looks at. */
const PROBES_MAX = 200

/**
 * Sends a test event to subscriptions that were disabled for failing and ask to be tried again
 * (`reenableByProbe`); its success enables them. Returns the number of events sent.
 */
export async function probeDisabled(deps: PublishDeps): Promise<number> {
  const nowMs = deps.now()
  const candidates = await probeCandidates(deps.db, PROBES_MAX)
  const due = candidates.filter(({ subscription, probedAtMs }) => isDue(subscription, probedAtMs, nowMs))
  for (const { subscription } of due) {
    await markProbed(deps.db, subscription.no, nowMs)
    await commitTargetedEvent(deps, subscription.workspaceId, probeOf(subscription, nowMs))
  }
  return due.length
}

function isDue({ settings }: Subscription, probedAtMs: number, nowMs: number): boolean {
  const policy = resolveDisablePolicy(settings.disablePolicy)
  return policy.reenableByProbe && nowMs - probedAtMs >= policy.probeSeconds * 1000
}

function probeOf({ id, no }: Subscription, nowMs: number): TargetedEvent {
  return {
    type: PROBE_TYPE,
    ownId: null,
    isTest: true,
    keys: [],
    hash: null,
    bodyText: bodyText({
      timestamp: iso(nowMs),
      livemode: false,
      apiVersion: 'v1',
      data: JSON.stringify({ object: { webhookId: id } }),
      context: '{}',
    }),
    findSubscriptionNo: async () => no,
  }
}
