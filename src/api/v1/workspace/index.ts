import type { Route } from '../../define-route.ts'
import { getWorkspace, putWorkspace } from './workspace.ts'

/** Calls that are about the workspace, in the order of the API document. */
export const workspaceRoutes: readonly Route[] = [getWorkspace, putWorkspace]
