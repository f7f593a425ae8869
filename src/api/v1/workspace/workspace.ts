import { mayCall } from '../../../access/caller.ts'
import { notFound, RelayError } from '../../../model/errors.ts'
import { changeSettings } from '../../../workspace/change-settings.ts'
import { useWorkspace } from '../../../workspace/settings.sql.ts'
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
    scope: 'workspace:admin',
    refusals: ['not_found', 'conflict'],
    body: workspaceSettingsSchema,
    readOnly: readOnlyFields(workspaceAnswerSchema, workspaceSettingsSchema),
    answer: workspaceAnswerSchema,
  },
  async ({ deps, workspaceId, caller, id, body }) => {
    if (id !== workspaceId) throw notFound('workspace')
    const changed = await changeSettings(deps, { workspaceId, isOperator: mayCall(caller, 'operator') }, body)
    switch (changed.kind) {
      case 'operators_only': {
        const message = changed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
        throw new RelayError('forbidden', message, { details: changed.problems })
      }
      case 'contended':
        throw new RelayError('conflict', 'The settings kept changing under this change. Try again.')
      case 'changed':
        return { data: workspaceAnswer(changed.workspace) }
    }
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
    scope: 'workspace:read',
    refusals: ['not_found'],
    answer: workspaceAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    if (id !== workspaceId) throw notFound('workspace')
    return { data: workspaceAnswer(await useWorkspace(deps.db, workspaceId, deps.now())) }
  },
)
