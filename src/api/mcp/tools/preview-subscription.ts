import * as z from 'zod'
import { pathOf } from '../call-api.ts'
import { defineTool } from '../tool.ts'

/** Shows what a sample would become, as `POST /webhooks/{id}/preview` does. */
export const previewSubscription = defineTool(
  {
    name: 'preview_subscription',
    title: 'Preview a subscription',
    description:
      'Shows what a sample event would become at a subscription: the rule that refuses it, or the exact request. Nothing is sent.',
    scope: 'webhooks:read',
    input: z.strictObject({
      subscription: z.string().min(1).describe('Its id or uid'),
      event: z.string().optional().describe('The sample’s type; left out, one that the subscription wants'),
      data: z.record(z.string(), z.unknown()).optional().describe('Left out, the catalogue’s example'),
    }),
  },
  async (call, { subscription, ...sample }) => {
    const { data } = await call('POST', pathOf('/webhooks/{}/preview', subscription), { body: sample })
    return { text: JSON.stringify(data), data: data as Record<string, unknown> }
  },
)
