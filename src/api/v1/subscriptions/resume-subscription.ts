import { resumeSubscription as resume } from '../../../subscription/switches.sql.ts'
import { route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { shownSubscription, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `POST /webhooks/{id}/resume`: delivers what has waited, and closes the breaker. */
export const resumeSubscription = route(
  {
    method: 'post',
    path: '/webhooks/{id}/resume',
    summary: 'Go on delivering',
    tag: 'Subscriptions',
    answer: subscriptionAnswerSchema,
  },
  async ({ relay, workspaceId, id, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const nowMs = relay.now()
    await resume(relay.env.DB, subscription, nowMs)
    background(relay.wake(new Map([[subscription.no, nowMs]]), { overdue: true }))
    return { data: await shownSubscription(relay, workspaceId, id) }
  },
)
