import * as z from 'zod'
import { RelayError } from '../../../model/errors.ts'
import { openArchive } from '../../../retention/archive/archives.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyArchive } from './archive-answer.ts'

const GZIP = 'application/gzip'

/** `GET /archives/{id}`: the archive itself, gzipped NDJSON, streamed from R2 as it is stored there. */
export const getArchive = defineRoute(
  {
    method: 'get',
    path: '/archives/{id}',
    operationId: 'downloadArchive',
    summary: 'Download an archive: gzipped NDJSON, an event with its deliveries a line',
    tag: 'Archives',
    scope: 'events:read',
    forBound: 'refused',
    refusals: ['not_found', 'conflict'],
    answer: z.string().meta({ format: 'binary' }),
    answerType: GZIP,
    answerDescription: 'The archive',
  },
  async ({ deps, workspaceId, id }) => {
    const archive = await findAnyArchive(deps, workspaceId, id)
    const object = await openArchive(deps.bodies, archive.key)
    if (object === null) throw new RelayError('conflict', "The archive's object is missing from the bucket.")
    return new Response(object.body, {
      headers: {
        'Content-Type': GZIP,
        'Content-Length': String(object.size),
        'Content-Disposition': `attachment; filename="archive-${archive.no}.ndjson.gz"`,
      },
    })
  },
)
