import { chunksByWeight } from '../base/chunks.ts'
import { getBody } from '../store/bodies.ts'
import { archiveHeader, archiveKey, archiveLine } from './archive-format.ts'
import { type ArchivableEvent, readArchivable } from './archived-events.sql.ts'
import { type NewArchive, putArchive } from './archives.sql.ts'
import type { AgedDelivery, AgedEvent } from './retention.ts'

export type ArchiveDeps = { db: D1Database; bodies: R2Bucket; now: () => number; newKey: () => string }

/** Rows of attempts read at once: each may come with a text of 16 KB. */
const ATTEMPTS_PER_READ = 250

/**
 * Writes events with their deliveries and attempts to an object of their own in R2, and answers the row that names it:
 * only with that row do the events count as archived. An object whose row was never written is removed as any other
 * that no row names.
 */
export async function archiveEvents(
  deps: ArchiveDeps,
  workspace: { no: number; id: string },
  events: readonly AgedEvent[],
  deliveries: readonly AgedDelivery[],
): Promise<NewArchive> {
  const lines = archiveLines(deps, workspace, events, deliveries)
  const bytes = await gzip(lines)
  const range = { firstSeq: events[0]?.seq ?? 0, lastSeq: events.at(-1)?.seq ?? 0 }
  const key = archiveKey(workspace.id, range, deps.newKey())
  await putArchive(deps.bodies, key, bytes)
  const acceptedMs = events.map(({ acceptedAtMs }) => acceptedAtMs)
  return {
    workspaceNo: workspace.no,
    key,
    ...range,
    events: events.length,
    bytes: bytes.length,
    acceptedFromMs: acceptedMs.reduce((least, ms) => Math.min(least, ms), Number.MAX_SAFE_INTEGER),
    acceptedToMs: acceptedMs.reduce((most, ms) => Math.max(most, ms), 0),
    createdAtMs: deps.now(),
  }
}

async function* archiveLines(
  deps: ArchiveDeps,
  workspace: { no: number; id: string },
  events: readonly AgedEvent[],
  deliveries: readonly AgedDelivery[],
): AsyncGenerator<string> {
  yield archiveHeader(workspace.id, events.length)
  const bySeq = Map.groupBy(deliveries, ({ seq }) => seq)
  const seqs = events.map(({ seq }) => seq)
  const attemptsOf = (seq: number) =>
    (bySeq.get(seq) ?? []).reduce((sum, delivery) => sum + Math.max(1, delivery.attempts), 0)
  for (const group of chunksByWeight(seqs, ATTEMPTS_PER_READ, attemptsOf)) {
    const pairs = group.flatMap((seq) => bySeq.get(seq) ?? [])
    for (const event of await readArchivable(deps.db, workspace.no, group, pairs)) {
      yield archiveLine(workspace.no, { ...event, body: await bodyOf(deps.bodies, event) })
    }
  }
}

async function bodyOf(bodies: R2Bucket, { body, bodyKey }: ArchivableEvent): Promise<string | null> {
  if (bodyKey === null) return body
  const bytes = await getBody(bodies, bodyKey)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/** Compresses lines one by one; only what comes out is kept in memory, for R2 wants to know its length. */
async function gzip(lines: AsyncIterable<string>): Promise<Uint8Array> {
  const { writable, readable } = new CompressionStream('gzip')
  const compressed = new Response(readable).arrayBuffer()
  const writer = writable.getWriter()
  const encoder = new TextEncoder()
  try {
    for await (const line of lines) await writer.write(encoder.encode(`${line}\n`))
    await writer.close()
  } catch (error) {
    // Seen by nobody else: the error that led here is the one to report.
    compressed.catch(() => undefined)
    await writer.abort(error).catch(() => undefined)
    throw error
  }
  return new Uint8Array(await compressed)
}
