import { z } from 'zod'
import { preview } from '../../../deliver/attempt/preview.ts'
import { findWorkspaceSettings } from '../../../workspace/settings.sql.ts'
import { route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { previewAnswer, previewAnswerSchema } from './preview-answer.ts'
import { readSample } from './sample-event.ts'

/** A sample event; its members are checked as those of a published one. */
export const sampleSchema = z.looseObject({}).meta({
  type: 'object',
  description: 'An event as it would be published; `event` and `data` may be left out',
  example: { event: 'invoice.created', data: { object: { total: 2567.5 } } },
})

/**
 * `POST /webhooks/{id}/preview`: whether a sample event would match, or the rule that refuses it; and the exact body and
 * headers that would be sent. Sends nothing, asks no token server, counts nowhere.
 */
export const previewSubscription = route(
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
