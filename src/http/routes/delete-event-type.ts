import { z } from 'zod'
import { notFound } from '../../errors.ts'
import { deleteEventType as remove } from '../../storage/event-type-changes.ts'
import { findWorkspaceNo } from '../../storage/workspaces.ts'
import { nameInPath } from '../event-type-answer.ts'
import { route } from '../route.ts'

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
