import { z } from 'zod'
import { memberSpans } from '../../../base/json/members.ts'
import { iso, sleep } from '../../../base/time.ts'
import { invalidField, invalidFields, RelayError } from '../../../model/errors.ts'
import {
  type DraftEvent,
  draftEvent,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  REQUEST_BYTES_MAX,
  tooDeep,
} from '../../../model/event.ts'
import { deliverAtRefusal } from '../../../model/event-timing.ts'
import { dispatch } from '../../../publish/dispatch.ts'
import { dispatchTargetShape } from '../../../subscription/input.ts'
import { requireRoom } from '../../capacity-guard.ts'
import { defineRoute } from '../../define-route.ts'
import { invalidInput } from '../../error-response.ts'
import { outcomeAnswer, outcomeAnswerSchema } from '../deliveries/outcome-answer.ts'
import { subscribeDeps } from '../subscriptions/subscribe-deps.ts'

const EVENT_FIELDS = publishedEventSchema.shape

const ID_TAKEN =
  'was already used for another event, another target or another "wait"; repeat the same dispatch, or choose another id'

const bodySchema = z.strictObject({
  ...EVENT_FIELDS,
  ...dispatchTargetShape,
  wait: z.boolean().optional(),
})

/**
 * `POST /dispatch` (seed 003): sends an event to a URL without a subscription, signed, logged and retried as any
 * delivery. With `wait: true` one attempt is made at once and the answer is the receiver's; else 202.
 */
export const dispatchEvent = defineRoute(
  {
    method: 'post',
    path: '/dispatch',
    summary: 'Send an event to a URL, without a subscription',
    tag: 'Events',
    status: 202,
    body: bodySchema,
    bodyBytesMax: REQUEST_BYTES_MAX,
    answer: outcomeAnswerSchema,
  },
  async ({ relay, workspaceId, body, bodyText, url, background }) => {
    const { wait = false } = body
    await requireRoom(relay, background)
    const target = targetOf(body)
    const draft = readDraft(bodyText, relay.now())
    const deps = { ...relay.publish(background), ...subscribeDeps(relay, url), sleep }
    const dispatched = await dispatch(deps, workspaceId, { target, draft, wait })
    switch (dispatched.kind) {
      case 'invalid':
        throw invalidFields(dispatched.problems)
      case 'own_id_reserved':
        throw invalidField('id', 'has the form of an id this relay generates; leave it out or choose another')
      case 'conflict':
        throw new RelayError('conflict', `id ${ID_TAKEN}.`, { details: [{ path: 'id', message: ID_TAKEN }] })
      case 'not_in_catalogue':
        throw invalidFields(dispatched.details)
      case 'dispatched':
      case 'duplicate':
        return {
          status: wait ? 200 : 202,
          data: outcomeAnswer(dispatched.delivery, dispatched.warnings),
        }
    }
  },
)

type Body = z.infer<typeof bodySchema>

function targetOf(body: Body) {
  const { url, secret, profile, custom, headers, auth, transform, timeoutSeconds, retryPolicy } = body
  return {
    url,
    secret,
    events: [],
    ...(profile !== undefined && { profile }),
    ...(custom !== undefined && { custom }),
    ...(headers !== undefined && { headers }),
    ...(auth !== undefined && { auth }),
    ...(transform !== undefined && { transform }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(retryPolicy !== undefined && { retryPolicy }),
  }
}

function readDraft(text: string, nowMs: number): DraftEvent {
  // From the text: what the body's schema has made of it is not what a publisher sends.
  const own = Object.entries(JSON.parse(text) as object).filter(([name]) => Object.hasOwn(EVENT_FIELDS, name))
  const parsed = publishedEventSchema.safeParse(Object.fromEntries(own))
  if (!parsed.success) throw invalidInput(parsed.error, '')
  const spans = memberSpans(text, 0)
  const deep = tooDeep(text, spans)
  if (deep !== null) throw invalidField(deep, `must be nested at most ${NESTING_DEPTH_MAX} levels deep`)
  const { deliverAt } = parsed.data
  const refusal = deliverAt === undefined ? null : deliverAtRefusal(deliverAt, nowMs)
  if (refusal !== null) throw invalidField('deliverAt', refusal)
  return draftEvent(parsed.data, text, spans, iso(nowMs))
}
