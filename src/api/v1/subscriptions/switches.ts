import { z } from 'zod'
import { RelayError } from '../../../model/errors.ts'
import { flushSubscription as flush } from '../../../subscription/switches.sql.ts'
import { route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'

const flushAnswerSchema = z.object({ id: z.string(), status: z.literal('flushing') })

/**
 * `POST /webhooks/{id}/flush`: everything accepted so far leaves in batches at once, in accepted order, whatever the
 * batch settings would have it wait for. 409 where the subscription does not batch.
 */
export const flushSubscription = route(
  {
    method: 'post',
    path: '/webhooks/{id}/flush',
    summary: 'Send what waits for its batch',
    tag: 'Subscriptions',
    status: 202,
    answer: flushAnswerSchema,
  },
  async ({ relay, workspaceId, id, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    if (!(await flush(relay.env.DB, subscription))) {
      throw new RelayError(
        'conflict',
        'This subscription does not batch: set batchSettings to make it do so.',
      )
    }
    background(relay.hintPaced([{ no: subscription.no }]))
    return { data: { id, status: 'flushing' as const } }
  },
)
