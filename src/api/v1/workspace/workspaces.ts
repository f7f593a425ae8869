import * as z from 'zod'
import { notFound, RelayError } from '../../../model/errors.ts'
import { startDeletion } from '../../../workspace/deletion.sql.ts'
import { newDeletion, WorkspaceDeleting } from '../../../workspace/deletion.ts'
import {
  createWorkspace as create,
  findWorkspace,
  listWorkspaces as list,
} from '../../../workspace/settings.sql.ts'
import { workspaceSettingsShape } from '../../../workspace/settings.ts'
import { WORKSPACE_ID } from '../../../workspace/workspace-id.ts'
import { defineRoute } from '../../define-route.ts'
import { pagingShape, readPage } from '../../paging.ts'
import { workspaceAnswer, workspaceAnswerSchema } from './workspace-answer.ts'

const newWorkspaceSchema = z
  .strictObject({
    id: z.string().regex(WORKSPACE_ID, 'must be 1-128 characters of A-Z a-z 0-9 _ -'),
    ...workspaceSettingsShape,
  })
  .meta({ id: 'NewWorkspace' })

/** `GET /workspaces`: all workspaces, newest first. */
export const listWorkspaces = defineRoute(
  {
    method: 'get',
    path: '/workspaces',
    operationId: 'listWorkspaces',
    scope: 'operator',
    forBound: 'refused',
    summary: 'List all workspaces, newest first',
    tag: 'Workspaces',
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(workspaceAnswerSchema),
    paged: true,
  },
  async ({ deps, query }) => {
    const { rows, pagination } = await readPage(query, {
      kind: 'workspaces',
      read: (page) => list(deps.db, page),
    })
    return { data: rows.map(workspaceAnswer), pagination }
  },
)

/** `POST /workspaces`: a new workspace with its settings. One that is not made so comes to be with its first use. */
export const createWorkspace = defineRoute(
  {
    method: 'post',
    path: '/workspaces',
    operationId: 'createWorkspace',
    scope: 'operator',
    forBound: 'refused',
    summary: 'Create a workspace; one that is not comes to be with its first use',
    tag: 'Workspaces',
    status: 201,
    refusals: ['conflict'],
    body: newWorkspaceSchema,
    answer: workspaceAnswerSchema,
  },
  async ({ deps, body: { id, ...settings } }) => {
    const isNew = await create(deps.db, id, { settings, nowMs: deps.now() })
    const workspace = await findWorkspace(deps.db, id)
    if (workspace === null) throw notFound('workspace')
    if (!isNew) {
      if (workspace.deletion !== null) throw new WorkspaceDeleting(id)
      const message = 'is the name of a workspace that exists'
      throw new RelayError('conflict', `id: ${message}.`, { details: [{ path: 'id', message }] })
    }
    return { data: workspaceAnswer(workspace) }
  },
)

/** `DELETE /workspaces/{id}`: erases a workspace in the background. Called again, it shows how far that is. */
export const deleteWorkspace = defineRoute(
  {
    method: 'delete',
    path: '/workspaces/{id}',
    operationId: 'deleteWorkspace',
    scope: 'operator',
    forBound: 'refused',
    summary: 'Erase a workspace with all that is in it, in the background; its name is free once it is done',
    tag: 'Workspaces',
    status: 202,
    refusals: ['not_found'],
    answer: workspaceAnswerSchema,
  },
  async ({ deps, id }) => {
    if (!(await startDeletion(deps.db, id, newDeletion(deps.now())))) throw notFound('workspace')
    const workspace = await findWorkspace(deps.db, id)
    if (workspace === null) throw notFound('workspace')
    await deps.deletions.refresh()
    deps.background(deps.eraseWorkspaces())
    return { data: workspaceAnswer(workspace) }
  },
)
