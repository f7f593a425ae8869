import * as z from 'zod'
import { iso, isoOrNull } from '../../../base/time.ts'
import { notFound } from '../../../model/errors.ts'
import { type Archive, findArchive } from '../../../retention/archive/archives.sql.ts'
import type { ApiDeps } from '../../context.ts'

const archiveShape = {
  no: z.int(),
  events: z.int(),
  bytes: z.int().describe('Size of the gzipped NDJSON'),
  acceptedFrom: z.string().describe('When the oldest of its events was accepted'),
  acceptedTo: z.string(),
  createdAt: z.string(),
  restoredAt: z.string().nullable().describe('Since when its events are back; null while they are not'),
}

/** An archive as the API shows it. */
export const archiveAnswerSchema = z.object(archiveShape).meta({ id: 'Archive' })

/** Shows an archive. */
export function archiveAnswer(archive: Archive): z.infer<typeof archiveAnswerSchema> {
  const { no, events, bytes, acceptedFromMs, acceptedToMs, createdAtMs, restoredAtMs } = archive
  return {
    no,
    events,
    bytes,
    acceptedFrom: iso(acceptedFromMs),
    acceptedTo: iso(acceptedToMs),
    createdAt: iso(createdAtMs),
    restoredAt: isoOrNull(restoredAtMs),
  }
}

/** An archive of the workspace by the number in a path; 404 otherwise. */
export async function findAnyArchive(
  { db }: Pick<ApiDeps, 'db'>,
  workspaceId: string,
  no: string,
): Promise<Archive> {
  const archive = /^\d{1,15}$/.test(no) ? await findArchive(db, workspaceId, Number(no)) : null
  if (archive === null) throw notFound('archive')
  return archive
}
