import { INLINE_BODY_CHARS_MAX } from '../../model/event.ts'
import { putBody } from '../../store/bodies.ts'
import { type ArchivedEvent, isArchiveHeader, linesOf, parseArchiveLine } from './archive-format.ts'
import { type Archive, markRestored, openArchive } from './archives.sql.ts'
import { insertRestored, presentSeqs, type RestorableEvent } from './restored-events.sql.ts'

type RestoreDeps = { db: D1Database; bodies: R2Bucket; now: () => number; newKey: () => string }

/**
 * The end of a restore: how many events and deliveries came back. `missing`: the object is gone.
 * `damaged`: it is none that this relay writes here; the part before the damage is back.
 */
type Restored =
  | { kind: 'restored'; events: number; deliveries: number }
  | { kind: 'missing' }
  | { kind: 'damaged' }

/** Events and characters brought back in one transaction. */
const EVENTS_PER_STEP = 100
const CHARS_PER_STEP = 1_000_000

/**
 * Brings an archive's events back as history, under their old ids: none is delivered again. Rows
 * that are there stay, so that it may run again. The events leave again after a time
 * (`RESTORED_KEPT_MS`).
 */
export async function restoreArchive(
  deps: RestoreDeps,
  workspaceId: string,
  archive: Archive,
): Promise<Restored> {
  const object = await openArchive(deps.bodies, archive.key)
  if (object === null) return { kind: 'missing' }
  const lines = linesOf(object.body)
  const header = await firstOf(lines)
  if (header === null || !isArchiveHeader(header, workspaceId)) return { kind: 'damaged' }
  const nowMs = deps.now()
  await markRestored(deps.db, archive.no, nowMs)
  const total = { events: 0, deliveries: 0 }
  for await (const { events, damaged } of stepsOf(archive.workspaceNo, lines)) {
    const restorable = await placeBodies(deps, archive.workspaceNo, events)
    const done = await insertRestored(deps.db, archive.workspaceNo, {
      events: restorable,
      restoredAtMs: nowMs,
    })
    total.events += done.events
    total.deliveries += done.deliveries
    if (damaged) return { kind: 'damaged' }
  }
  return { kind: 'restored', ...total }
}

type RestoreStep = { events: ArchivedEvent[]; damaged: boolean }

/**
 * Yields an archive's events in parts to be written at once; a damaged archive's last part is
 * marked.
 */
async function* stepsOf(workspaceNo: number, lines: AsyncGenerator<string>): AsyncGenerator<RestoreStep> {
  let events: ArchivedEvent[] = []
  let chars = 0
  for await (const line of untilDamage(lines)) {
    const event = line === null ? null : parseArchiveLine(workspaceNo, line)
    if (event === null) {
      yield { events, damaged: true }
      return
    }
    events.push(event)
    chars += line?.length ?? 0
    if (events.length < EVENTS_PER_STEP && chars < CHARS_PER_STEP) continue
    yield { events, damaged: false }
    events = []
    chars = 0
  }
  if (events.length > 0) yield { events, damaged: false }
}

/**
 * Puts large texts into R2 before the rows that name them, but for events that are there already.
 */
async function placeBodies(
  deps: RestoreDeps,
  workspaceNo: number,
  events: readonly ArchivedEvent[],
): Promise<RestorableEvent[]> {
  const large = events.filter(({ body }) => (body?.length ?? 0) > INLINE_BODY_CHARS_MAX)
  const present =
    large.length === 0
      ? new Set<number>()
      : await presentSeqs(
          deps.db,
          workspaceNo,
          large.map(({ seq }) => seq),
        )
  const placed: RestorableEvent[] = []
  for (const event of events) {
    const isLarge = large.includes(event) && !present.has(event.seq)
    const bodyKey = isLarge ? deps.newKey() : null
    if (bodyKey !== null) await putBody(deps.bodies, bodyKey, event.body ?? '')
    placed.push({ ...event, body: large.includes(event) ? null : event.body, bodyKey })
  }
  return placed
}

async function firstOf(lines: AsyncGenerator<string>): Promise<string | null> {
  try {
    const { value, done } = await lines.next()
    return done === true ? null : value
  } catch {
    return null
  }
}

/** Yields lines up to where the object cannot be read on, and null there. */
async function* untilDamage(lines: AsyncGenerator<string>): AsyncGenerator<string | null> {
  try {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) return
      yield value
    }
  } catch {
    yield null
  }
}
