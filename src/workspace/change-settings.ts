import { widenedBy } from '../destination/rules.ts'
import type { Problem } from '../model/errors.ts'
import {
  changeUnchangedSettings,
  changeWorkspaceSettings,
  useWorkspace,
  type Workspace,
} from './settings.sql.ts'
import {
  changedLimits,
  changedSettings,
  type WorkspaceSettings,
  type WorkspaceSettingsChange,
} from './settings.ts'

type Deps = { db: D1Database; now: () => number }

export type SettingsChanged =
  | { kind: 'changed'; workspace: Workspace; before: WorkspaceSettings }
  /** These may be changed by the operator only. */
  | { kind: 'operators_only'; problems: Problem[] }
  | { kind: 'contended' }

/** Rounds after which a change gives up that others keep coming before. */
const ROUNDS_MAX = 20

/**
 * Changes a workspace's settings. Only the operator may change limits, and let deliveries go where they could not go
 * before: for others the settings that were compared must still be those that are replaced.
 */
export async function changeSettings(
  { db, now }: Deps,
  { workspaceId, isOperator }: { workspaceId: string; isOperator: boolean },
  change: WorkspaceSettingsChange,
): Promise<SettingsChanged> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const workspace = await useWorkspace(db, workspaceId, now())
    if (isOperator) return changed(workspace, await changeWorkspaceSettings(db, workspace, change))
    const problems = operatorsOnly(workspace.settings, change)
    if (problems.length > 0) return { kind: 'operators_only', problems }
    const settings = await changeUnchangedSettings(db, workspace, change)
    if (settings !== null) return changed(workspace, settings)
  }
  return { kind: 'contended' }
}

function changed(workspace: Workspace, settings: WorkspaceSettings): SettingsChanged {
  return { kind: 'changed', workspace: { ...workspace, settings }, before: workspace.settings }
}

/** What a change does that only the operator may do. */
function operatorsOnly(settings: WorkspaceSettings, change: WorkspaceSettingsChange): Problem[] {
  const limits = changedLimits(settings, change.limits ?? {})
  return [
    ...widenedBy(settings, changedSettings(settings, change)).map((path) => {
      return {
        path,
        message: 'can be narrowed here; only the operator may let deliveries go to more places',
      }
    }),
    ...limits.map((name) => ({ path: `limits.${name}`, message: 'may be changed by the operator only' })),
  ]
}
