import * as z from 'zod'
import { pathOf } from '../call-api.ts'
import { defineTool } from '../tool.ts'

/** Attempts a delivery once more, as `POST /deliveries/{id}/retry` does. */
export const retryDelivery = defineTool(
  {
    name: 'retry_delivery',
    title: 'Retry a delivery',
    description:
      'Attempts one failed or skipped delivery once more, now. The same bytes are sent to its receiver again.',
    scope: 'deliveries:retry',
    input: z.strictObject({
      delivery: z.string().min(1).describe('Its id, log_…, which explain_delivery names'),
    }),
    changes: true,
  },
  async (call, { delivery }) => {
    const { data } = await call('POST', pathOf('/deliveries/{}/retry', delivery))
    const { summary } = data as { summary: string }
    return { text: `It is being attempted. ${summary}`, data: data as Record<string, unknown> }
  },
)
