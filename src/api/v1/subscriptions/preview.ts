import * as z from 'zod'
import { memberSpans } from '../../../base/json/members.ts'
import { type Previewed, preview } from '../../../deliver/attempt/preview.ts'
import { draftSubscription } from '../../../subscription/draft.ts'
import { createSubscriptionSchema } from '../../../subscription/input.ts'
import { findWorkspaceSettings } from '../../../workspace/settings.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { previewAnswer, previewAnswerSchema } from './preview-answer.ts'
import { readSample, type SentSample } from './sample-event.ts'
import { checkRefusedHeldSettings, HELD_SUBSCRIPTION_NAMING, unacceptable } from './subscription-body.ts'

/** A sample event; its members are checked as those of a published one. */
const sampleSchema = z.looseObject({}).meta({
  description: 'An event as it would be published; `event` and `data` may be left out',
  example: { event: 'invoice.created', data: { object: { total: 2567.5 } } },
})

/** Shown for a subscription that has no id yet. */
const SAMPLE_ID = 'webhook_preview'

/** `POST /webhooks/preview`: the same as the preview of a subscription, for one that is not saved yet. */
export const previewDraft = defineRoute(
  {
    method: 'post',
    path: '/webhooks/preview',
    operationId: 'previewDraft',
    summary: 'Preview a delivery to a subscription that is not saved yet',
    tag: 'Subscriptions',
    scope: 'webhooks:read',
    forBound: 'shared',
    audit: { none: 'it changes nothing, and signs with keys of its own' },
    refusals: [],
    body: z.strictObject({ subscription: createSubscriptionSchema, event: sampleSchema.optional() }),
    naming: HELD_SUBSCRIPTION_NAMING,
    alsoCheck: checkRefusedHeldSettings,
    idempotency: 'none',
    answer: previewAnswerSchema,
  },
  async ({ deps, workspaceId, body, sent }) => {
    const destinations = await findWorkspaceSettings(deps.db, workspaceId)
    const owner = { workspaceId, id: SAMPLE_ID, destinations }
    const drafted = await draftSubscription(deps, owner, body.subscription)
    if (drafted.kind === 'invalid') throw unacceptable(drafted, 'subscription.')
    const start = memberSpans(sent.text, 0).get('event')?.start
    const sample =
      start === undefined ? { text: '', start: 0, value: {} } : { ...sent, start, value: body.event ?? {} }
    return {
      data: await previewSample(
        deps,
        { subscription: drafted.subscription, isDraft: true },
        { ...sample, path: 'event' },
      ),
    }
  },
)

/**
 * `POST /webhooks/{id}/preview`: says if a sample event would match, or which rule refuses it, and
 * shows the exact body and headers. Sends nothing, asks no token server, counts nowhere.
 */
export const previewSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/preview',
    operationId: 'previewSubscription',
    idempotency: 'none',
    summary: 'Preview a delivery',
    tag: 'Subscriptions',
    scope: 'webhooks:read',
    forBound: 'own',
    audit: { none: 'it changes nothing, and signs with keys of its own' },
    refusals: ['not_found'],
    body: sampleSchema,
    bodyOptional: true,
    answer: previewAnswerSchema,
  },
  async ({ deps, workspaceId, id, body, sent }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const sample = { text: sent.text, start: 0, value: body, path: '' }
    return { data: await previewSample(deps, { subscription, isDraft: false }, sample) }
  },
)

async function previewSample(
  deps: ApiDeps,
  previewed: Previewed,
  sample: SentSample,
): Promise<z.infer<typeof previewAnswerSchema>> {
  const draft = await readSample(deps, previewed.subscription, sample)
  return previewAnswer(draft.type, await preview(deps.preview, previewed, draft))
}
