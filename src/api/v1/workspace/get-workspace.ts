import { notFound } from '../../../model/errors.ts'
import { useWorkspace } from '../../../workspace/settings.sql.ts'
import { route } from '../../define-route.ts'
import { workspaceAnswer, workspaceAnswerSchema } from './workspace-answer.ts'

/** `GET /workspaces/{id}`: the caller's own workspace and its settings. */
export const getWorkspace = route(
  {
    method: 'get',
    path: '/workspaces/{id}',
    summary: 'Show the workspace and its settings',
    tag: 'Workspaces',
    answer: workspaceAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    if (id !== workspaceId) throw notFound('workspace')
    return { data: workspaceAnswer(await useWorkspace(relay.env.DB, workspaceId, relay.now())) }
  },
)
