import { patternMatches } from './event-type.ts'
import type { Subscription } from './subscription.ts'

/** Why an event is not owed to a subscription. */
export type WhyNot =
  | 'test_for_another_subscription'
  | 'subscription_created_later'
  | 'subscription_deleted_before'
  | 'event_type_not_subscribed'
  | 'subscription_changed_since'

/**
 * Finds the reason afresh, from the subscription as it is now: keeping reasons for each event and subscription would
 * cost more than the event itself. Where today's settings would match, what changed since is the reason.
 */
export function whyNot(
  event: { type: string; acceptedAtMs: number; isTest: boolean },
  subscription: Pick<Subscription, 'createdAtMs' | 'deletedAtMs' | 'settings'>,
): WhyNot {
  if (event.isTest) return 'test_for_another_subscription'
  if (subscription.createdAtMs > event.acceptedAtMs) return 'subscription_created_later'
  if (subscription.deletedAtMs !== null && subscription.deletedAtMs <= event.acceptedAtMs) {
    return 'subscription_deleted_before'
  }
  const wanted = subscription.settings.events.some((pattern) => patternMatches(pattern, event.type))
  return wanted ? 'subscription_changed_since' : 'event_type_not_subscribed'
}

/** The reason in a sentence. */
export function explainWhyNot(reason: WhyNot): string {
  switch (reason) {
    case 'test_for_another_subscription':
      return 'This is a test event of another subscription.'
    case 'subscription_created_later':
      return 'The subscription was created after the event was accepted.'
    case 'subscription_deleted_before':
      return 'The subscription had been deleted when the event was accepted.'
    case 'event_type_not_subscribed':
      return 'None of the event types the subscription names matches.'
    case 'subscription_changed_since':
      return 'It would match now; when the event was accepted, the subscription did not want it.'
  }
}
