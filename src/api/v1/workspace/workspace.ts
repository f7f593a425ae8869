import { notFound } from '../../../model/errors.ts'
import { changeWorkspaceSettings, useWorkspace } from '../../../workspace/settings.sql.ts'
import { workspaceSettingsSchema } from '../../../workspace/settings.ts'
import { defineRoute } from '../../define-route.ts'
import { readOnlyFields } from '../../request/read-only.ts'
import { workspaceAnswer, workspaceAnswerSchema } from './workspace-answer.ts'

/** `PUT /workspaces/{id}`: changes the settings that are named, for the very next publish. */
export const putWorkspace = defineRoute(
  {
    method: 'put',
    path: '/workspaces/{id}',
    operationId: 'updateWorkspace',
    summary: 'Change settings of the workspace: what is named changes, the rest stays',
    tag: 'Workspaces',
    refusals: ['not_found'],
    body: workspaceSettingsSchema,
    readOnly: readOnlyFields(workspaceAnswerSchema, workspaceSettingsSchema),
    answer: workspaceAnswerSchema,
  },
  async ({ deps, workspaceId, id, body }) => {
    if (id !== workspaceId) throw notFound('workspace')
    const workspace = await useWorkspace(deps.db, workspaceId, deps.now())
    const settings = await changeWorkspaceSettings(deps.db, workspace, body)
    return { data: workspaceAnswer({ ...workspace, settings }) }
  },
)

/** `GET /workspaces/{id}`: the caller's own workspace and its settings. */
export const getWorkspace = defineRoute(
  {
    method: 'get',
    path: '/workspaces/{id}',
    operationId: 'getWorkspace',
    summary: 'Show the workspace and its settings',
    tag: 'Workspaces',
    refusals: ['not_found'],
    answer: workspaceAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    if (id !== workspaceId) throw notFound('workspace')
    return { data: workspaceAnswer(await useWorkspace(deps.db, workspaceId, deps.now())) }
  },
)
