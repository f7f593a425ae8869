import { z } from 'zod'
import { RelayError } from '../../../model/errors.ts'
import { openArchive } from '../../../retention/archives.sql.ts'
import { API_PREFIXES, errorSchema, type Route } from '../../define-route.ts'
import { anyArchive } from './archive-answer.ts'

const PATH = '/archives/{id}'
const GZIP = 'application/gzip'

/** `GET /archives/{id}`: the archive itself, gzipped NDJSON as it waits in R2; the only call whose success is not JSON. */
export const getArchive: Route = (app) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `/api/v1${PATH}`,
    summary: 'Download an archive: gzipped NDJSON, an event with its deliveries a line',
    tags: ['Archives'],
    security: [{ bearer: [] }],
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: {
        description: 'The archive',
        content: { [GZIP]: { schema: z.string().meta({ format: 'binary' }) } },
      },
      default: { description: 'Refusal', content: { 'application/json': { schema: errorSchema } } },
    },
  })
  for (const prefix of API_PREFIXES) {
    app.get(prefix + PATH.replace('{id}', ':id'), async (c) => {
      const relay = c.get('relay')
      const archive = await anyArchive(relay, c.get('workspaceId'), c.req.param('id') ?? '')
      const object = await openArchive(relay.env.BODIES, archive.key)
      if (object === null)
        throw new RelayError('conflict', "The archive's object is missing from the bucket.")
      return c.body(object.body, 200, {
        'Content-Type': GZIP,
        'Content-Length': String(object.size),
        'Content-Disposition': `attachment; filename="archive-${archive.no}.ndjson.gz"`,
      })
    })
  }
}
