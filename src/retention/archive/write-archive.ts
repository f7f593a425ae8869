import { chunksByWeight } from '../../base/chunks.ts'
import { getBody } from '../../store/bodies.ts'
import type { AgedDelivery, AgedEvent } from '../retention.ts'
import { archiveHeader, archiveKey, archiveLine } from './archive-format.ts'
import { type ArchivableEvent, readArchivable } from './archived-events.sql.ts'
import { type NewArchive, putArchive } from './archives.sql.ts'

export type ArchiveDeps = { db: D1Database; bodies: R2Bucket; now: () => number; newKey: () => string }

type Workspace = { no: number; id: string }

/** Events with all their deliveries. */
type History = { events: readonly AgedEvent[]; deliveries: readonly AgedDelivery[] }

/** Rows of attempts read at once: each may come with a text of 16 KB. */
const ATTEMPTS_PER_READ = 250

/**
 * Writes events with their deliveries to an object of its own in R2, and returns the row that names
 * it. Only with that row are they archived; an object without one is removed like any other.
 */
export async function archiveEvents(
  deps: ArchiveDeps,
  workspace: Workspace,
  history: History,
): Promise<NewArchive> {
  const { events } = history
  const bytes = await gzip(archiveLines(deps, workspace, history))
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
  workspace: Workspace,
  { events, deliveries }: History,
): AsyncGenerator<string> {
  yield archiveHeader(workspace.id, events.length)
  const bySeq = Map.groupBy(deliveries, ({ seq }) => seq)
  const seqs = events.map(({ seq }) => seq)
  const attemptsOf = (seq: number) =>
    (bySeq.get(seq) ?? []).reduce((sum, delivery) => sum + Math.max(1, delivery.attempts), 0)
  for (const group of chunksByWeight(seqs, ATTEMPTS_PER_READ, attemptsOf)) {
    const pairs = group.flatMap((seq) => bySeq.get(seq) ?? [])
    for (const event of await readArchivable(deps.db, workspace.no, { seqs: group, pairs })) {
      yield archiveLine(workspace.no, { ...event, body: await bodyOf(deps.bodies, event) })
    }
  }
}

async function bodyOf(bodies: R2Bucket, { body, bodyKey }: ArchivableEvent): Promise<string | null> {
  if (bodyKey === null) return body
  const bytes = await getBody(bodies, bodyKey)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

/** Compresses lines one by one and keeps only the result in memory: R2 asks for its length. */
async function gzip(lines: AsyncIterable<string>): Promise<Uint8Array> {
  const { writable, readable } = new CompressionStream('gzip')
  const compressed = new Response(readable).arrayBuffer()
  const writer = writable.getWriter()
  const encoder = new TextEncoder()
  try {
    for await (const line of lines) await writer.write(encoder.encode(`${line}\n`))
    await writer.close()
  } catch (error) {
    // Nothing else sees this rejection; the error that led here is the one to report.
    compressed.catch(() => undefined)
    await writer.abort(error).catch(() => undefined)
    throw error
  }
  return new Uint8Array(await compressed)
}
