import { memberSpans } from '../../../base/json/members.ts'
import { iso } from '../../../base/time.ts'
import { invalidField, type RelayError } from '../../../model/errors.ts'
import {
  type DraftEvent,
  draftEvent,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  tooDeep,
} from '../../../model/event.ts'
import { deliverAtRefusal } from '../../../model/event-timing.ts'
import { restAfter } from '../../body/body.ts'
import { invalidInput } from '../../error-response.ts'

/** An event in a request: its value, where its object begins in the text, and its path in refusals. */
export type SentEvent = { value: unknown; text: string; start: number; path: string }

/**
 * Reads an event as it was published. A refusal is answered, so that others of the request can go on; other requests
 * have their turn between the walks over a long text.
 */
export async function readEvent(
  { value, text, start, path }: SentEvent,
  nowMs: number,
): Promise<DraftEvent | RelayError> {
  const parsed = publishedEventSchema.safeParse(value)
  if (!parsed.success) return invalidInput(parsed.error, path)
  const refuse = (name: string, message: string) =>
    invalidField(path === '' ? name : `${path}.${name}`, message)
  const spans = memberSpans(text, start)
  await restAfter({ length: Math.max(...[...spans.values()].map(({ end }) => end)) - start })
  const deep = tooDeep(text, spans)
  if (deep !== null) return refuse(deep, `must be nested at most ${NESTING_DEPTH_MAX} levels deep`)
  const { deliverAt } = parsed.data
  const refusal = deliverAt === undefined ? null : deliverAtRefusal(deliverAt, nowMs)
  if (refusal !== null) return refuse('deliverAt', refusal)
  return draftEvent(parsed.data, text, spans, iso(nowMs))
}
