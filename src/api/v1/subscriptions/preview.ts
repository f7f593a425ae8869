import { z } from 'zod'
import { memberSpans } from '../../../base/json/members.ts'
import { preview } from '../../../deliver/attempt/preview.ts'
import { invalidFields } from '../../../model/errors.ts'
import { CredentialCache } from '../../../subscription/credentials.ts'
import { draftSubscription } from '../../../subscription/draft.ts'
import { createSubscriptionSchema } from '../../../subscription/input.ts'
import { findWorkspaceSettings } from '../../../workspace/settings.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { previewAnswer, previewAnswerSchema } from './preview-answer.ts'
import { readSample } from './sample-event.ts'
import { subscribeDeps } from './subscribe-deps.ts'

/** A sample event; its members are checked as those of a published one. */
const sampleSchema = z.looseObject({}).meta({
  type: 'object',
  description: 'An event as it would be published; `event` and `data` may be left out',
  example: { event: 'invoice.created', data: { object: { total: 2567.5 } } },
})

/** `POST /webhooks/preview`: the same as the preview of a subscription, for one that is not saved yet. */
export const previewDraft = defineRoute(
  {
    method: 'post',
    path: '/webhooks/preview',
    summary: 'Preview a delivery to a subscription that is not saved yet',
    tag: 'Subscriptions',
    body: z.strictObject({ subscription: createSubscriptionSchema, event: sampleSchema.optional() }),
    answer: previewAnswerSchema,
  },
  async ({ relay, workspaceId, body, bodyText, url }) => {
    const drafted = await draftSubscription(subscribeDeps(relay, url), workspaceId, body.subscription)
    if (drafted.kind === 'invalid') {
      throw invalidFields(
        drafted.problems.map(({ path, message }) => ({ path: `subscription.${path}`, message })),
      )
    }
    const { subscription } = drafted
    const start = memberSpans(bodyText, 0).get('event')?.start
    const sample = {
      text: start === undefined ? '' : bodyText,
      start: start ?? 0,
      value: body.event ?? {},
      path: 'event',
    }
    const draft = await readSample(relay, workspaceId, subscription, sample)
    // A cache of its own: a draft has no number by which another one could be told from it.
    const credentials = new CredentialCache()
    const deps = { ...relay.request, credentials, authorize: null, bodies: relay.env.BODIES }
    const defaults = await findWorkspaceSettings(relay.env.DB, workspaceId)
    return { data: previewAnswer(draft.type, await preview(deps, subscription, draft, defaults)) }
  },
)

/**
 * `POST /webhooks/{id}/preview`: whether a sample event would match, or the rule that refuses it; and the exact body and
 * headers that would be sent. Sends nothing, asks no token server, counts nowhere.
 */
export const previewSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/preview',
    summary: 'Preview a delivery',
    tag: 'Subscriptions',
    body: sampleSchema,
    bodyOptional: true,
    answer: previewAnswerSchema,
  },
  async ({ relay, workspaceId, id, body, bodyText }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const sample = { text: bodyText, start: 0, value: body, path: '' }
    const draft = await readSample(relay, workspaceId, subscription, sample)
    const deps = { ...relay.request, authorize: null, bodies: relay.env.BODIES }
    const defaults = await findWorkspaceSettings(relay.env.DB, workspaceId)
    return { data: previewAnswer(draft.type, await preview(deps, subscription, draft, defaults)) }
  },
)
