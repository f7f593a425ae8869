import { type Caller, mayCall } from '../../../access/caller.ts'
import { changedFields } from '../../../audit/changed-fields.ts'
import { notFound, RelayError } from '../../../model/errors.ts'
import { changeSettings } from '../../../workspace/change-settings.ts'
import { findWorkspace, useWorkspace, type Workspace } from '../../../workspace/settings.sql.ts'
import { workspaceSettingsSchema } from '../../../workspace/settings.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { readOnlyFields } from '../../request/read-only.ts'
import { workspaceAnswer, workspaceAnswerSchema } from './workspace-answer.ts'

type Input = { deps: ApiDeps; caller: Caller; workspaceId: string; id: string }

/** `PUT /workspaces/{id}`: changes the settings that are named, for the very next publish. */
export const putWorkspace = defineRoute(
  {
    method: 'put',
    path: '/workspaces/{id}',
    operationId: 'updateWorkspace',
    scope: 'workspace:admin',
    forBound: 'refused',
    summary: 'Change settings of the workspace: what is named changes, the rest stays',
    tag: 'Workspaces',
    refusals: ['not_found', 'conflict'],
    body: workspaceSettingsSchema,
    readOnly: readOnlyFields(workspaceAnswerSchema, workspaceSettingsSchema),
    answer: workspaceAnswerSchema,
  },
  async (input) => {
    const { deps, caller, id, body } = input
    requireNamed(input, await findWorkspace(deps.db, id))
    const isOperator = mayCall(caller, 'operator')
    const changed = await changeSettings(deps, { workspaceId: id, isOperator }, body)
    switch (changed.kind) {
      case 'operators_only': {
        const message = changed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
        throw new RelayError('forbidden', message, { details: changed.problems })
      }
      case 'contended':
        throw new RelayError('conflict', 'The settings kept changing under this change. Try again.')
      case 'changed':
        return {
          data: workspaceAnswer(changed.workspace),
          changed: changedFields(body, changed.before, changed.workspace.settings),
        }
    }
  },
)

/** `GET /workspaces/{id}`: a workspace and its settings, or how far its deletion is. */
export const getWorkspace = defineRoute(
  {
    method: 'get',
    path: '/workspaces/{id}',
    operationId: 'getWorkspace',
    scope: 'workspace:read',
    forBound: 'refused',
    summary: 'Show the workspace and its settings, or how far its deletion is',
    tag: 'Workspaces',
    refusals: ['not_found'],
    answersWhileDeleting: true,
    answer: workspaceAnswerSchema,
  },
  async (input) => {
    const { deps, id } = input
    const found = requireNamed(input, await findWorkspace(deps.db, id))
    return { data: workspaceAnswer(found ?? (await useWorkspace(deps.db, id, deps.now()))) }
  },
)

/** The workspace of the call may come to be by it, as with every other call; another one the operator alone may name. */
function requireNamed({ caller, workspaceId, id }: Input, found: Workspace | null): Workspace | null {
  if (id === workspaceId) return found
  if (caller.kind !== 'operator' || found === null) throw notFound('workspace')
  return found
}
