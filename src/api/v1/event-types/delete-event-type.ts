import { z } from 'zod'
import { deleteEventType as remove } from '../../../catalogue/event-type-changes.sql.ts'
import { notFound } from '../../../model/errors.ts'
import { findWorkspaceNo } from '../../../workspace/workspaces.sql.ts'
import { route } from '../../define-route.ts'
import { nameInPath } from './event-type-answer.ts'

/** `DELETE /event-types/{name}`: from then on the type is unknown to the catalogue; its events stay. */
export const deleteEventType = route(
  {
    method: 'delete',
    path: '/event-types/{name}',
    summary: 'Delete an event type',
    tag: 'Event types',
    answer: z.object({ name: z.string(), deleted: z.literal(true) }),
  },
  async ({ relay, workspaceId, url }) => {
    const name = nameInPath(url)
    const workspaceNo = await findWorkspaceNo(relay.env.DB, workspaceId)
    const isDeleted = workspaceNo !== null && (await remove(relay.env.DB, workspaceNo, name))
    if (!isDeleted) throw notFound('event type')
    return { data: { name, deleted: true } }
  },
)
