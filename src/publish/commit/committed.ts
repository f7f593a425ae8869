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
  const inserted = outcome.results.flatMap((result, i) => {
    const event = group.events[i]
    return result.kind === 'inserted' && event !== undefined ? [{ event, seq: result.seq }] : []
  })
  return {
    pairs: inserted.flatMap((each) => pairsNow(group.workspaceNo, each)),
    waiting: waitingNotes(
      group.acceptedAtMs,
      inserted.map(({ event }) => event),
    ),
  }
}

/** Deliveries of an event to be made now: those that wait have rows, which lead to them. */
function pairsNow(workspaceNo: number, { event, seq }: { event: NewEvent; seq: number }): Pair[] {
  const { fanout, waiting = [] } = event
  const waitingNos = new Set(waiting.map(({ subscriptionNo }) => subscriptionNo))
  return fanout
    .filter((no) => no > 0 && !waitingNos.has(no))
    .map((subscriptionNo) => ({ workspaceNo, subscriptionNo, seq }))
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
