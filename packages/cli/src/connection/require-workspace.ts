import { isPosthornError } from '../../../client/src/index.ts'
import { Failure } from '../failure/failure.ts'
import { type Connection, clientOf } from './connection.ts'

/** Keys of a workspace act in their own, and are refused in another. */
const WORKSPACE_KEY = /^phk_/

/**
 * Makes sure that a workspace is there which the operator's key names: with a slip of the pen a call would make a new one.
 *
 * @throws Failure where there is none
 */
export async function requireWorkspace(
  { url, key, workspace }: Connection,
  signal: AbortSignal,
): Promise<void> {
  if (workspace === null || workspace === 'default' || WORKSPACE_KEY.test(key)) return
  // Asked from another workspace: a call within it would make it.
  const outside = clientOf({ url, key, workspace: null })
  try {
    await outside.workspaces.get(workspace, { signal })
  } catch (error) {
    if (isPosthornError(error) && error.code === 'not_found') throw noSuchWorkspace(workspace)
    // Who may not look is told by the call itself what is wrong.
    if (isPosthornError(error) && error.code === 'forbidden') return
    throw error
  }
}

function noSuchWorkspace(workspace: string): Failure {
  return new Failure('not_found', `There is no workspace ${workspace}. Nothing was done.`, {
    next: `See how it is written, or let it be made: posthorn login --workspace ${workspace} --create-workspace`,
  })
}
