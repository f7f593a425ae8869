import type { Route } from '../../define-route.ts'
import { getWorkspaceStatistics } from './get-workspace-statistics.ts'

/** Calls that are about the figures of a workspace, in the order of the API document. */
export const statisticsRoutes: readonly Route[] = [getWorkspaceStatistics]
