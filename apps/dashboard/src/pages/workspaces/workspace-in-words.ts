import type { Schemas } from '../../api/schemas.ts'
import type { InWords } from '../../words/health.ts'
import { countOf } from '../../words/numbers.ts'

type Deletion = NonNullable<Schemas['Workspace']['deletion']>

const PHASES: Record<Deletion['phase'], string> = {
  stopping: 'Its deliveries are being stopped',
  events: 'Its events are being erased',
  batches: 'Its batches are being erased',
  settling: 'Waiting for outcomes that may still come',
  subscriptions: 'Its subscriptions are being erased',
  rest: 'What is left is being erased',
  done: 'It is erased',
}

/** How a workspace is: in use, or how far its deletion is. */
export function workspaceInWords({ deletion }: Schemas['Workspace']): InWords {
  if (deletion === null) return { tone: 'good', label: 'In use', sentence: 'It is in use.' }
  const { events, deliveries } = deletion.erased
  const erased = `${countOf(events, 'event')} and ${countOf(deliveries, 'delivery', 'deliveries')} so far`
  return { tone: 'warning', label: 'Being erased', sentence: `${PHASES[deletion.phase]}: ${erased}.` }
}
