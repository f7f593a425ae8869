import { Yielder } from '../base/concurrency/yielder.ts'
import { compileRules, type RuleRefusal } from '../match/rules.ts'
import { RequestSteps, SharedSteps } from '../match/shared-steps.ts'
import { SHARE_SPENT, STEPS_ALWAYS, STEPS_MAX } from '../match/step-budget.ts'
import { patternMatches } from '../model/event-type.ts'
import type { EventView } from '../model/event-view.ts'
import type { Subscription } from './subscription.ts'

/** Why an event is not owed to a subscription. */
export type WhyNot =
  | 'test_for_another_subscription'
  | 'dispatched_elsewhere'
  | 'subscription_created_later'
  | 'subscription_deleted_before'
  | 'event_type_not_subscribed'
  | 'livemode_not_wanted'
  | 'api_version_not_wanted'
  | 'refused_by_rules'
  | 'subscription_changed_since'

/** The reason, a sentence about it, and which rules refused where any did. */
export type Refusal = { reason: WhyNot; explanation: string; rules: RuleRefusal[] }

type Asked = Pick<Subscription, 'settings'>
type Selected = { reason: WhyNot; rules: RuleRefusal[] } | null

/** A subscription, as far as reasons depend on it. */
export type Told = Pick<Subscription, 'no' | 'createdAtMs' | 'updatedAtMs' | 'deletedAtMs'> & Asked
type PastEvent = { type: string; acceptedAtMs: number; isTest: boolean; isDispatch: boolean }

/** Steps of one preview: each of many refusals is explained with a budget of its own. */
const PREVIEW_STEPS_MAX = 25 * STEPS_MAX
/** Steps of all explanations of one answer, about half a second. */
const ANSWER_STEPS_MAX = 25_000_000
/** Steps in the time that compiling the rules of one subscription takes. */
const COMPILE_STEPS = 10_000

/**
 * Finds for each subscription why an event is not owed to it; by number. All explanations share one
 * budget, and others have their turn between them. `view` is null where the event's content is gone.
 */
export async function whyNotEach(
  event: PastEvent,
  subscriptions: readonly Told[],
  view: EventView | null,
): Promise<Map<number, Refusal>> {
  const steps = new RequestSteps(ANSWER_STEPS_MAX, subscriptions.length)
  const yielder = new Yielder()
  const refusals = new Map<number, Refusal>()
  for (const subscription of subscriptions) {
    const before = steps.walked
    const refusal = steps.share((shared) => whyNot(event, subscription, { view, shared }))
    refusals.set(subscription.no, refusal)
    await yielder.after(steps.walked - before + COMPILE_STEPS)
  }
  return refusals
}

/**
 * Finds the reason afresh, from the subscription as it is now: storing one for each event and
 * subscription would cost more than the event. If it would match today, the change since is the
 * reason, or the budget of the publish where nothing has changed.
 */
export function whyNot(
  event: PastEvent,
  subscription: Told,
  { view, shared }: { view: EventView | null; shared: SharedSteps },
): Refusal {
  const refused =
    history(event, subscription) ??
    selection(subscription, { type: event.type, view }, shared) ??
    lacked(event, subscription, shared)
  const { reason, rules } = refused ?? { reason: 'subscription_changed_since' as const, rules: [] }
  return { reason, rules, explanation: explain(reason, rules) }
}

/** Finds the settings of a subscription that refuse an event; null when it would match. */
export function refusalOf(subscription: Asked, view: EventView): Refusal | null {
  const shared = new SharedSteps(PREVIEW_STEPS_MAX)
  const refused = selection(subscription, { type: view.event, view }, shared)
  return refused === null ? null : { ...refused, explanation: explain(refused.reason, refused.rules) }
}

/** Rules that are as they were, hold, and take more than a publish always has steps for lacked them. */
function lacked({ acceptedAtMs }: PastEvent, { settings, updatedAtMs }: Told, shared: SharedSteps): Selected {
  if (updatedAtMs > acceptedAtMs || shared.counted <= STEPS_ALWAYS) return null
  const rule = (settings.rules?.filters ?? null) === null ? 'conditions' : 'filters'
  return { reason: 'refused_by_rules', rules: [{ rule, ...SHARE_SPENT }] }
}

function history(
  event: Omit<PastEvent, 'type'>,
  { createdAtMs, deletedAtMs }: Pick<Subscription, 'createdAtMs' | 'deletedAtMs'>,
): Selected {
  const because = (reason: WhyNot) => ({ reason, rules: [] })
  if (event.isTest) return because('test_for_another_subscription')
  if (event.isDispatch) return because('dispatched_elsewhere')
  if (createdAtMs > event.acceptedAtMs) return because('subscription_created_later')
  return deletedAtMs !== null && deletedAtMs <= event.acceptedAtMs
    ? because('subscription_deleted_before')
    : null
}

function selection(
  { settings }: Asked,
  { type, view }: { type: string; view: EventView | null },
  shared: SharedSteps,
): Selected {
  const { events, livemode, apiVersion, rules } = settings
  if (!events.some((pattern) => patternMatches(pattern, type)))
    return { reason: 'event_type_not_subscribed', rules: [] }
  if (view === null) return null
  if (livemode !== null && livemode !== view.livemode) return { reason: 'livemode_not_wanted', rules: [] }
  if (apiVersion !== null && apiVersion !== view.api_version)
    return { reason: 'api_version_not_wanted', rules: [] }
  const verdict = rules === null ? null : compileRules(rules)(view, shared)
  return verdict === null || verdict.holds ? null : { reason: 'refused_by_rules', rules: verdict.refusals }
}

function explain(reason: WhyNot, rules: readonly RuleRefusal[]): string {
  switch (reason) {
    case 'test_for_another_subscription':
      return 'This is a test event of another subscription.'
    case 'dispatched_elsewhere':
      return 'This event was dispatched to one URL, past all subscriptions.'
    case 'subscription_created_later':
      return 'The subscription was created after the event was accepted.'
    case 'subscription_deleted_before':
      return 'The subscription had been deleted when the event was accepted.'
    case 'event_type_not_subscribed':
      return 'None of the event types the subscription names matches.'
    case 'livemode_not_wanted':
      return 'The subscription takes only live events, or only test events, and this is one of the other kind.'
    case 'api_version_not_wanted':
      return 'The subscription takes only events of another api_version.'
    case 'refused_by_rules':
      return rules.map(({ rule, message }) => `${rule}: ${message}`).join('; ')
    case 'subscription_changed_since':
      return 'It would match now; when the event was accepted, the subscription did not want it.'
  }
}
