import type { Reached } from '../../limits/count-use.ts'
import type { Admission } from '../../limits/workspace-use.ts'
import type { DraftEvent } from '../../model/event.ts'
import type { WorkspaceSettings } from '../../workspace/settings.ts'

/** A workspace whose events are to be admitted, as its configuration has it. */
export type AdmittingWorkspace = { no: number; settings: Pick<WorkspaceSettings, 'limits'> }

/** An admission, and the most bytes that one event may hold; null for no limit. */
export type EventAdmission = Admission & { payloadBytesMax: number | null }

/** Admits the first of so many events of a caller, without asking anything; null where nothing limits it. */
export type AdmitEvents = (workspace: AdmittingWorkspace, count: number) => EventAdmission | null

/** What limits refuse of an event. */
export type LimitedOutcome =
  | { kind: 'rate_limited'; reached: Reached }
  | { kind: 'payload_above_limit'; bytesMax: number }

/** The refusal of an event by its size, or by its place behind those that were admitted; null: it passes. */
export function limitedOutcome(
  admission: EventAdmission | null,
  draft: DraftEvent,
  at: number,
): LimitedOutcome | null {
  if (admission === null) return null
  const { granted, reached, payloadBytesMax: bytesMax } = admission
  if (bytesMax !== null && isLargerThan(draft, bytesMax)) return { kind: 'payload_above_limit', bytesMax }
  return reached !== null && at >= granted ? { kind: 'rate_limited', reached } : null
}

/** A character has one to three bytes, so that most texts need not be encoded. */
function isLargerThan({ data, context }: DraftEvent, bytesMax: number): boolean {
  const chars = data.text.length + context.text.length
  if (chars > bytesMax) return true
  if (chars * 3 <= bytesMax) return false
  const encoder = new TextEncoder()
  return encoder.encode(data.text).length + encoder.encode(context.text).length > bytesMax
}
