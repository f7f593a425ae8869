import * as z from 'zod'
import { deliveryIdOf } from '../../../model/delivery.ts'
import { STEP_NAMES } from '../../../outcome/reachability.ts'
import { type Checked, checkReceiver as check } from '../../../publish/check-receiver.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'

const stepSchema = z.object({
  step: z
    .enum(STEP_NAMES)
    .describe('`request`: it could be made at all; `challenge`: of the host’s owner, or of a robot’s'),
  result: z.enum(['passed', 'failed', 'unknown', 'skipped']),
  message: z.string().nullable().describe('What was seen, and what to do'),
})

const checkShape = {
  reachable: z.boolean().nullable().describe('Null where the request has not ended in time'),
  failed: z.enum(STEP_NAMES).nullable().describe('The step that failed'),
  message: z.string(),
  steps: z.array(stepSchema),
  responseCode: z.int().nullable(),
  responseTime: z.int().nullable().describe('Milliseconds'),
  deliveryId: z.string().nullable().describe('The delivery of the ping; null where none was sent'),
}

const checkSchema = z.object(checkShape).meta({ id: 'ReceiverCheck' })

/** `POST /webhooks/{id}/check`: can the relay reach the receiver, and if not, which step fails. */
export const checkReceiver = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/check',
    operationId: 'checkReceiver',
    summary: 'Find out if the receiver can be reached',
    tag: 'Diagnosis',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found'],
    answer: checkSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const resolver = deps.destinations.resolver ?? null
    return { data: checkAnswer(await check({ ...deps.publish, resolver }, subscription)) }
  },
)

const REACHED = 'The receiver can be reached, and answers with a success.'
const PENDING =
  'The ping has not ended in time: it waits for its turn, or the relay is busy. GET /deliveries/{deliveryId} shows what comes of it.'

function checkAnswer({ isReachable, steps, delivery }: Checked): z.infer<typeof checkSchema> {
  const failed = steps.find(({ result }) => result === 'failed') ?? null
  return {
    reachable: isReachable,
    failed: failed?.step ?? null,
    message: failed?.message ?? (isReachable === null ? PENDING : REACHED),
    steps,
    responseCode: delivery?.status ?? null,
    responseTime: delivery?.latencyMs ?? null,
    deliveryId: delivery === null ? null : deliveryIdOf(delivery),
  }
}
