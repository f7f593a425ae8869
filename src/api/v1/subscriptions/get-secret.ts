import { z } from 'zod'
import { notFound } from '../../../model/errors.ts'
import { route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'

/** `GET /webhooks/{id}/secret`: the signing secret, which every other answer masks. */
export const getSecret = route(
  {
    method: 'get',
    path: '/webhooks/{id}/secret',
    summary: 'Show the signing secret',
    tag: 'Subscriptions',
    answer: z.object({ secret: z.string() }),
  },
  async ({ relay, workspaceId, id }) => {
    const { id: ownerId, sealed } = await liveSubscription(relay, workspaceId, id)
    const { secretCipher } = sealed
    if (secretCipher === null) throw notFound('secret')
    return { data: { secret: await relay.vault.open(secretCipher, ownerId) } }
  },
)
