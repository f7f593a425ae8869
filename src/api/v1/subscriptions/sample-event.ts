import { memberSpans } from '../../../base/json/members.ts'
import { iso } from '../../../base/time.ts'
import { invalidField } from '../../../model/errors.ts'
import {
  type DraftEvent,
  draftEvent,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  tooDeep,
} from '../../../model/event.ts'
import { SAMPLE_TYPE, sampleData, sampleType } from '../../../subscription/sample.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import type { ApiDeps } from '../../context.ts'
import { invalidInput } from '../../error-response.ts'

/**
 * A sample event in a request: its value, where its
 * object begins in the text, and its path in refusals.
 */
export type SentSample = { value: Record<string, unknown>; text: string; start: number; path: string }

/** Reads a sample event, which is as one to be published but may lack its type and data. */
export async function readSample(
  { db, now }: Pick<ApiDeps, 'db' | 'now'>,
  subscription: Pick<Subscription, 'settings' | 'workspaceId'>,
  { text, start, value, path }: SentSample,
): Promise<DraftEvent> {
  const named = value['event'] ?? value['type']
  const type = typeof named === 'string' || named === undefined ? sampleType(named, subscription) : named
  const hasData = value['data'] !== undefined
  // A type that is no text is refused below, and the catalogue knows none such.
  const exampleOf = typeof type === 'string' ? type : SAMPLE_TYPE
  const example = hasData ? null : await sampleData(db, subscription, exampleOf)
  const data: unknown = example === null ? value['data'] : JSON.parse(example)
  const filled = { ...value, ...(named === undefined && { event: type }), data }
  const parsed = publishedEventSchema.safeParse(filled)
  if (!parsed.success) throw invalidInput(parsed.error, path)
  const spans = text === '' ? new Map() : memberSpans(text, start)
  const deep = tooDeep(text, spans)
  if (deep !== null) {
    const field = path === '' ? deep : `${path}.${deep}`
    throw invalidField(field, `must be nested at most ${NESTING_DEPTH_MAX} levels deep`)
  }
  const draft = draftEvent(parsed.data, text, spans, iso(now()))
  return example === null ? draft : { ...draft, data: { text: example, value: parsed.data.data } }
}
