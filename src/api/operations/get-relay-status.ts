import * as z from 'zod'
import { iso } from '../../base/time.ts'
import { relayFigures } from '../../operate/status.ts'
import {
  type Named,
  WORST_DUE_MAX,
  WORST_MAX,
  type WorstSubscriptions,
} from '../../operate/worst-subscriptions.sql.ts'
import { defineRoute } from '../define-route.ts'
import { countsAnswer, countsShape, relayAnswer, relaySchema } from './status-answer.ts'

const namedShape = { workspaceId: z.string(), webhookId: z.string() }
const bound = `At most ${WORST_MAX}`

const worstShape = {
  failing: z
    .array(z.object({ ...namedShape, since: z.string() }))
    .describe(`Active ones with nothing but failures, the longest first. ${bound}`),
  disabled: z
    .array(z.object({ ...namedShape, reason: z.enum(['gone', 'failing']) }))
    .describe(`Those that the relay has disabled, the latest first. ${bound} of each reason`),
  due: z
    .array(z.object({ ...namedShape, due: z.int(), oldestDueAt: z.string() }))
    .describe(
      `Those with deliveries that are due, the longest due first; ${WORST_DUE_MAX + 1} means more than ${WORST_DUE_MAX}. ${bound}`,
    ),
  failed: z
    .array(z.object({ ...namedShape, deliveries: z.int() }))
    .describe(`Those with most deliveries failed for good in this hour (UTC) and the one before. ${bound}`),
}

const answerSchema = z
  .object({ ...countsShape, relay: relaySchema, worst: z.object(worstShape) })
  .meta({ id: 'WholeStatus', description: 'What is going on in all workspaces, and in the relay itself' })

/** `GET /status/relay`: what the metrics say of the whole relay, for its operator. Its reads are bounded. */
export const getRelayStatus = defineRoute(
  {
    method: 'get',
    path: '/status/relay',
    operationId: 'getRelayStatus',
    summary: 'Show what is going on in the whole relay',
    tag: 'Operations',
    scope: 'operator',
    forBound: 'refused',
    refusals: [],
    answer: answerSchema,
  },
  async ({ deps }) => {
    const { status, counts, worst } = await relayFigures(deps.status)
    const relay = relayAnswer(status)
    return { data: { ...countsAnswer(counts, deps.now()), relay, worst: worstAnswer(worst) } }
  },
)

function worstAnswer({ failing, disabled, due, failed }: WorstSubscriptions) {
  return {
    failing: failing.map(({ sinceMs, ...one }) => ({ ...namesOf(one), since: iso(sinceMs) })),
    disabled: disabled.map(({ reason, ...one }) => ({ ...namesOf(one), reason })),
    due: due.map(({ due: count, oldestDueMs, ...one }) => {
      return { ...namesOf(one), due: count, oldestDueAt: iso(oldestDueMs) }
    }),
    failed: failed.map(({ deliveries, ...one }) => ({ ...namesOf(one), deliveries })),
  }
}

function namesOf({ workspace, subscription }: Named) {
  return { workspaceId: workspace, webhookId: subscription }
}
