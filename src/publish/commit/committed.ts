import type { Pair } from '../../model/delivery.ts'
import { INLINE_BODY_CHARS_MAX } from '../../model/event.ts'
import type { PacingLevel } from '../../pacing/settings.ts'
import type { GroupResult, InsertGroup, NewEvent } from './event-insert.sql.ts'

/** Deliveries that one commit made wait for a paced subscription, or its flush of those waiting. */
export type WaitingNote = {
  subscriptionNo: number
  level: PacingLevel
  events: number
  /** An estimate of the length of their texts. */
  bytes: number
  sinceMs: number
  isFlushed: boolean
}

/** Deliveries that a commit owes: those to be made now, and those that wait. */
export type Committed = { pairs: Pair[]; waiting: WaitingNote[] }

/** Stands for the length of a text in R2, which is not at hand. */
const LARGE_TEXT_BYTES = INLINE_BODY_CHARS_MAX

/** The deliveries that a group of events owes once it is committed. */
export function committedOf(group: InsertGroup, outcome: GroupResult): Committed {
  if (outcome.kind !== 'committed') return { pairs: [], waiting: [] }
  const { workspaceNo, acceptedAtMs } = group
  const pairs: Pair[] = []
  const inserted: NewEvent[] = []
  for (const [i, result] of outcome.results.entries()) {
    const event = group.events[i]
    if (result.kind !== 'inserted' || event === undefined) continue
    inserted.push(event)
    const { seq } = result
    for (const subscriptionNo of nosNow(event)) pairs.push({ workspaceNo, subscriptionNo, seq })
  }
  return { pairs, waiting: waitingNotes(acceptedAtMs, inserted) }
}

/** Subscriptions whose deliveries of an event are to be made now: those that wait have rows, which lead to them. */
function nosNow({ fanout, waiting = [] }: NewEvent): readonly number[] {
  const active = fanout.every((no) => no > 0) ? fanout : fanout.filter((no) => no > 0)
  if (waiting.length === 0) return active
  const waitingNos = new Set(waiting.map(({ subscriptionNo }) => subscriptionNo))
  return active.filter((no) => !waitingNos.has(no))
}

function waitingNotes(acceptedAtMs: number, events: readonly NewEvent[]): WaitingNote[] {
  const notes = new Map<number, WaitingNote>()
  const noteOf = (subscriptionNo: number, level: PacingLevel): WaitingNote => {
    const known = notes.get(subscriptionNo)
    if (known !== undefined) return known
    const empty = { events: 0, bytes: 0, sinceMs: acceptedAtMs, isFlushed: false }
    const made = { subscriptionNo, level, ...empty }
    notes.set(subscriptionNo, made)
    return made
  }
  for (const event of events) {
    // Scheduled events are found when they are due.
    const isScheduled = (event.deliverAtMs ?? 0) > acceptedAtMs
    for (const { subscriptionNo, level } of isScheduled ? [] : (event.waiting ?? [])) {
      const note = noteOf(subscriptionNo, level)
      note.events++
      note.bytes += (event.body?.length ?? LARGE_TEXT_BYTES) + event.type.length
    }
    for (const no of event.flushes ?? []) noteOf(no, 'limited').isFlushed = true
  }
  return [...notes.values()]
}
