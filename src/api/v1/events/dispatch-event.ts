import * as z from 'zod'
import { invalidField, invalidFields, RelayError } from '../../../model/errors.ts'
import { type DraftEvent, publishedEventSchema, REQUEST_BYTES_MAX, TOGETHER } from '../../../model/event.ts'
import { dispatch } from '../../../publish/dispatch.ts'
import { dispatchTargetShape, fixedShape } from '../../../subscription/input.ts'
import type { JsonBody } from '../../body/body.ts'
import { requireCapacity } from '../../capacity-guard.ts'
import { defineRoute } from '../../define-route.ts'
import { limitReached, payloadAboveLimit } from '../../limits/limit-refusals.ts'
import { DISPATCH_ALIASES } from '../../request/aliases.ts'
import { outcomeAnswer, outcomeAnswerSchema } from '../deliveries/outcome-answer.ts'
import { checkRefusedSettings, unacceptable } from '../subscriptions/subscription-body.ts'
import { readEvent } from './read-event.ts'

const EVENT_FIELDS = publishedEventSchema.shape

const ID_TAKEN =
  'was already used for another event, another target or another "wait"; repeat the same dispatch, or choose another id'

const dispatchRequestShape = {
  ...EVENT_FIELDS,
  ...dispatchTargetShape,
  ...fixedShape,
  wait: z.boolean().optional(),
}

const bodySchema = z
  .strictObject(dispatchRequestShape)
  .superRefine(...TOGETHER)
  .meta({ id: 'DispatchRequest' })

/**
 * `POST /dispatch`: sends an event to a URL without a subscription, signed, logged and retried as any
 * delivery. With `wait: true` it makes one attempt and shows the receiver's answer.
 */
export const dispatchEvent = defineRoute(
  {
    method: 'post',
    path: '/dispatch',
    operationId: 'dispatchEvent',
    summary: 'Send an event to a URL, without a subscription',
    tag: 'Events',
    // A dispatch chooses an address and what is signed with: only who may make a subscription may do so.
    scope: 'webhooks:write',
    forBound: 'refused',
    audit: { none: 'an event is no change of what is configured, and is kept itself' },
    refusals: ['conflict'],
    status: 202,
    body: bodySchema,
    naming: { aliases: DISPATCH_ALIASES },
    alsoCheck: checkRefusedSettings,
    bodyBytesMax: REQUEST_BYTES_MAX,
    answer: outcomeAnswerSchema,
    answerDescription: 'Accepted',
    otherAnswers: { 200: { answer: outcomeAnswerSchema, description: 'Attempted, with `wait`' } },
  },
  async ({ deps, workspaceId, body, sent }) => {
    const { wait = false } = body
    await requireCapacity(deps)
    const target = targetOf(body)
    const draft = await readOwnEvent(sent, deps.now())
    const { vault, destinations } = deps
    const dispatched = await dispatch({ ...deps.publish, vault, destinations }, workspaceId, {
      target,
      draft,
      wait,
    })
    switch (dispatched.kind) {
      case 'invalid':
        throw unacceptable(dispatched)
      case 'own_id_reserved':
        throw invalidField('id', 'has the form of an id this relay generates; leave it out or choose another')
      case 'conflict':
        throw new RelayError('conflict', `id ${ID_TAKEN}.`, { details: [{ path: 'id', message: ID_TAKEN }] })
      case 'rate_limited':
        throw limitReached(dispatched.reached)
      case 'payload_above_limit':
        throw payloadAboveLimit(dispatched.bytesMax)
      case 'not_in_catalogue':
        throw invalidFields(dispatched.details)
      case 'dispatched':
      case 'duplicate': {
        const { delivery, subscription, warnings } = dispatched
        return {
          status: wait ? 200 : 202,
          data: outcomeAnswer(delivery, { subscription, nowMs: deps.now(), warnings }),
        }
      }
    }
  },
)

type Body = z.infer<typeof bodySchema>

/** Picks what the body says of the target: every field there is for one, and only those that were sent. */
function targetOf(body: Body) {
  const named = Object.keys(dispatchTargetShape).filter((name) => body[name as keyof Body] !== undefined)
  const sent = Object.fromEntries(named.map((name) => [name, body[name as keyof Body]]))
  return { ...(sent as Pick<Body, keyof typeof dispatchTargetShape>), events: [] }
}

/** Reads the event's own fields as they were sent, since the body's schema may have changed them. */
async function readOwnEvent({ text, value }: JsonBody, nowMs: number): Promise<DraftEvent> {
  const own = Object.entries(value as object).filter(([name]) => Object.hasOwn(EVENT_FIELDS, name))
  const draft = await readEvent({ value: Object.fromEntries(own), text, start: 0, path: '' }, nowMs)
  if (draft instanceof RelayError) throw draft
  return draft
}
