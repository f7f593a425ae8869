import type { Route } from '../../define-route.ts'
import { getWorkspace, putWorkspace } from './workspace.ts'
import { createWorkspace, deleteWorkspace, listWorkspaces } from './workspaces.ts'

/** Calls that are about workspaces, in the order of the API document. */
export const workspaceRoutes: readonly Route[] = [
  listWorkspaces,
  createWorkspace,
  getWorkspace,
  putWorkspace,
  deleteWorkspace,
]
