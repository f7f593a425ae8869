import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import { notFound, RelayError } from '../../../model/errors.ts'
import { rotateSecret as rotate } from '../../../subscription/change.ts'
import { secretSchema } from '../../../subscription/input.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'
import { unacceptable } from './subscription-body.ts'

/** The secret before a rotation stays valid for a day unless told otherwise. */
const OVERLAP_SECONDS_DEFAULT = 86_400
const OVERLAP_SECONDS_MAX = 30 * 86_400

const secretRotationShape = {
  secret: secretSchema.optional(),
  overlapSeconds: z
    .int('must be whole seconds')
    .min(0, `must be 0-${OVERLAP_SECONDS_MAX}`)
    .max(OVERLAP_SECONDS_MAX, `must be 0-${OVERLAP_SECONDS_MAX}`)
    .optional(),
}

const bodySchema = z.strictObject(secretRotationShape).meta({ id: 'SecretRotation' })

/**
 * `POST /webhooks/{id}/rotate-secret`: a new secret, given or generated, is in the answer; the one
 * before stays valid for `overlapSeconds`. A key pair for `v1a` is renewed with it.
 */
export const rotateSecret = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/rotate-secret',
    operationId: 'rotateSecret',
    summary: 'Change the signing secret, with an overlap',
    tag: 'Subscriptions',
    scope: 'webhooks:secret',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    body: bodySchema,
    bodyOptional: true,
    answer: subscriptionAnswerSchema,
  },
  async ({ deps, workspaceId, id, body }) => {
    const { secret, overlapSeconds = OVERLAP_SECONDS_DEFAULT } = body
    if (deps.reach.binding !== null) await findLiveSubscription(deps, workspaceId, id)
    const rotated = await rotate(deps, { workspaceId, id }, { secret, overlapSeconds })
    switch (rotated.kind) {
      case 'invalid':
        throw unacceptable(rotated)
      case 'not_found':
        throw notFound('subscription')
      case 'contended':
        throw new RelayError('conflict', 'The subscription kept changing under this change. Try again.')
      case 'rotated':
        return {
          data: await subscriptionAnswer(deps.vault, rotated.subscription, {
            secret: rotated.secret,
            warnings: rotated.warnings,
          }),
        }
    }
  },
)

/** `GET /webhooks/{id}/secret`: the signing secret, which every other answer masks. */
export const getSecret = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}/secret',
    operationId: 'getSecret',
    summary: 'Show the signing secret',
    tag: 'Subscriptions',
    scope: 'webhooks:secret',
    forBound: 'own',
    refusals: ['not_found'],
    answer: z.object({
      secret: z.string(),
      url: z.string().optional().describe('In full, where other answers mask a credential in it'),
    }),
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const { secretCipher } = subscription.sealed
    if (secretCipher === null) throw notFound('secret')
    const { url } = subscription.settings
    const secret = await deps.vault.open(secretCipher, subscription, 'secret')
    return { data: { secret, ...(maskUrl(url) !== url && { url }) } }
  },
)
