import * as z from 'zod'
import { RelayError } from '../../../model/errors.ts'
import { restoreArchive as restore } from '../../../retention/archive/restore-archive.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyArchive } from './archive-answer.ts'

const restoredArchiveShape = {
  events: z.int().describe('Events that are back and were not there before'),
  deliveries: z.int(),
}

const answerSchema = z.object(restoredArchiveShape).meta({ id: 'RestoredArchive' })

/**
 * `POST /archives/{id}/restore`: brings an archive's events back as history for 30 days, under the ids
 * they had, and delivers nothing again. It may be repeated; 409 when the archive cannot be read.
 */
export const restoreArchive = defineRoute(
  {
    method: 'post',
    path: '/archives/{id}/restore',
    operationId: 'restoreArchive',
    summary: 'Bring archived events back as history, for 30 days',
    tag: 'Archives',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found', 'conflict'],
    answer: answerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const archive = await findAnyArchive(deps, workspaceId, id)
    const restored = await restore(deps, workspaceId, archive)
    switch (restored.kind) {
      case 'restored':
        return { data: { events: restored.events, deliveries: restored.deliveries } }
      case 'missing':
        throw new RelayError('conflict', "The archive's object is missing from the bucket.")
      case 'damaged':
        throw new RelayError('conflict', 'The archive is damaged: events up to the damage are back.')
    }
  },
)
