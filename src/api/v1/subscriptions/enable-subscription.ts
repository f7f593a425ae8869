import { setActive } from '../../../subscription/switches.sql.ts'
import { type Route, route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { shownSubscription, subscriptionAnswerSchema } from './subscription-answer.ts'

/**
 * `POST /webhooks/{id}/enable` and `/disable`. Events that match while it is disabled are `skipped`; a replay brings
 * them back. Enabling closes the breaker and gives a new failure budget.
 */
export const enableSubscription: Route = (app) => {
  set('enable', 'Deliver again, from the next event on')(app)
  set('disable', 'Stop delivering: events meanwhile are skipped')(app)
}

function set(verb: 'enable' | 'disable', summary: string): Route {
  return route(
    {
      method: 'post',
      path: `/webhooks/{id}/${verb}`,
      summary,
      tag: 'Subscriptions',
      answer: subscriptionAnswerSchema,
    },
    async ({ relay, workspaceId, id, background }) => {
      const subscription = await liveSubscription(relay, workspaceId, id)
      const nowMs = relay.now()
      await setActive(relay.env.DB, subscription, verb === 'enable', nowMs)
      background(relay.wake(new Map([[subscription.no, nowMs]]), { overdue: true }))
      return { data: await shownSubscription(relay, workspaceId, id) }
    },
  )
}
