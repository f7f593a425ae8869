import { memberSpans } from '../../../base/json/members.ts'
import { iso } from '../../../base/time.ts'
import { findEventType } from '../../../catalogue/event-types.sql.ts'
import { invalidField } from '../../../model/errors.ts'
import {
  type DraftEvent,
  draftEvent,
  NESTING_DEPTH_MAX,
  publishedEventSchema,
  tooDeep,
} from '../../../model/event.ts'
import type { Relay } from '../../../relay.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { invalidInput } from '../../error-response.ts'

/** What a test or a preview is made with when the caller names no type and the subscription none that is exact. */
const SAMPLE_TYPE = 'webhook.test'
const SAMPLE_DATA = '{"test":true}'

/** The type a sample is of: the one named, else the first exact one of the subscription. */
export function sampleType(named: string | undefined, { settings }: Pick<Subscription, 'settings'>): string {
  return named ?? settings.events.find((pattern) => !pattern.endsWith('*')) ?? SAMPLE_TYPE
}

/** Sample data for a type, as JSON text: the catalogue's example where it has one. */
export async function sampleData(relay: Relay, workspaceId: string, type: string): Promise<string> {
  return (await findEventType(relay.env.DB, workspaceId, type))?.example ?? SAMPLE_DATA
}

/**
 * Reads a sample event, in the form of a published one but for what may be left out: its type and its `data`.
 * `start` is where its object begins in the text; `path` is its own path in the request.
 */
export async function readSample(
  relay: Relay,
  workspaceId: string,
  subscription: Pick<Subscription, 'settings'>,
  { text, start, value, path }: { text: string; start: number; value: Record<string, unknown>; path: string },
): Promise<DraftEvent> {
  const named = value['event'] ?? value['type']
  const type = typeof named === 'string' || named === undefined ? sampleType(named, subscription) : named
  const hasData = value['data'] !== undefined
  // What is no text is refused below, and stringifying it may fail.
  const exampleOf = typeof type === 'string' ? type : SAMPLE_TYPE
  const example = hasData ? null : await sampleData(relay, workspaceId, exampleOf)
  const data: unknown = example === null ? value['data'] : JSON.parse(example)
  const filled = { ...value, ...(named === undefined && { event: type }), data }
  const parsed = publishedEventSchema.safeParse(filled)
  if (!parsed.success) throw invalidInput(parsed.error, path)
  const spans = text === '' ? new Map() : memberSpans(text, start)
  const deep = tooDeep(text, spans)
  if (deep !== null)
    throw invalidField(
      path === '' ? deep : `${path}.${deep}`,
      `must be nested at most ${NESTING_DEPTH_MAX} levels deep`,
    )
  const draft = draftEvent(parsed.data, text, spans, iso(relay.now()))
  return example === null ? draft : { ...draft, data: { text: example, value: parsed.data.data } }
}
