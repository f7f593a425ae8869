import type { HostResolver } from '../destination/dns/resolver.ts'
import { readKeptAttempt } from '../history/attempt-detail.sql.ts'
import type { LoggedDelivery } from '../history/delivery-log.sql.ts'
import { PING_TYPE } from '../model/event-type.ts'
import { answeredBy } from '../outcome/answered-by.ts'
import { STEP_NAMES, type Step, stepsOf } from '../outcome/reachability.ts'
import type { Subscription } from '../subscription/subscription.ts'
import type { TargetedEventDeps } from './targeted-event.ts'
import { sendTestEvent } from './test-event.ts'

export type CheckDeps = TargetedEventDeps & { resolver: HostResolver | null }

/** How far a request to a receiver comes; null where it has not ended in time. */
export type Checked = { isReachable: boolean | null; steps: Step[]; delivery: LoggedDelivery | null }

/**
 * Sends one signed ping to a subscription's receiver, the way of every delivery, and tells its steps apart. It is in the
 * log as a test is, and changes nothing that is known of the receiver. Nothing goes to a host that is still challenged.
 */
export async function checkReceiver(deps: CheckDeps, subscription: Subscription): Promise<Checked> {
  if (subscription.disabledReason === 'unverified') return unverified(subscription)
  const objectText = JSON.stringify({ webhookId: subscription.id })
  const delivery = await sendTestEvent(deps, subscription, { type: PING_TYPE, objectText })
  if (delivery.state === 'pending') return { isReachable: null, steps: unknownSteps(), delivery }
  const { settings } = subscription
  const steps = stepsOf({
    error: delivery.error,
    status: delivery.status,
    isEncrypted: settings.url.startsWith('https:'),
    timeoutSeconds: settings.timeoutSeconds,
    addresses: await addressesFor(deps, subscription),
    explanation: delivery.status === null ? delivery.response : null,
    isChallenged: await isChallenged(deps, delivery),
  })
  return { isReachable: delivery.state === 'success', steps, delivery }
}

/** True where a protection against robots has answered the ping. */
async function isChallenged({ db }: CheckDeps, delivery: LoggedDelivery): Promise<boolean> {
  const { subscriptionNo, seq, attempts: n, response } = delivery
  const { status, headers } = (await readKeptAttempt(db, { subscriptionNo, seq, n }))?.detail ?? NO_ANSWER
  return status !== null && answeredBy({ status, headers, text: response }) === 'challenge'
}

const NO_ANSWER = { status: null, headers: [] }

/** The addresses of the host as the relay's DNS server has them; null where there is none, or it does not know. */
async function addressesFor(
  { resolver }: CheckDeps,
  { settings }: Subscription,
): Promise<readonly string[] | null> {
  if (resolver === null || !URL.canParse(settings.url)) return null
  const lookup = await resolver.lookUp(new URL(settings.url).hostname)
  switch (lookup.kind) {
    case 'found':
      return lookup.addresses
    case 'none':
      return []
    case 'failed':
      return null
  }
}

const UNVERIFIED =
  'The host of this subscription has not answered its challenge, and gets nothing before. POST /webhooks/{id}/verify challenges it again.'

function unverified({ challenge }: Subscription): Checked {
  const message = challenge.problem === null ? UNVERIFIED : `${UNVERIFIED} (${challenge.problem})`
  const steps = unknownSteps().map((step) =>
    step.step === 'challenge' ? { ...step, result: 'failed' as const, message } : step,
  )
  return { isReachable: false, steps, delivery: null }
}

function unknownSteps(): Step[] {
  return STEP_NAMES.map((step) => ({ step, result: 'unknown', message: null }))
}
