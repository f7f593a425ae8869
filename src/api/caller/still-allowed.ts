import { RelayError } from '../../model/errors.ts'
import type { DeletionWatch } from '../../workspace/deletion-watch.ts'
import { type AuthDeps, authenticate, type RouteAccess } from './auth.ts'

type Asked = { auth: AuthDeps; deletions: Pick<DeletionWatch, 'has'>; request: Request; route: RouteAccess }

/**
 * Judges a caller's credential anew, for calls that last. A store that does not answer refuses nobody: the next look
 * comes soon. Never rejects.
 */
export async function isStillAllowed({ auth, deletions, request, route }: Asked): Promise<boolean> {
  try {
    const { caller, refusal } = await authenticate(auth, request, route)
    return refusal === null && !(await deletions.has(caller.workspaceId))
  } catch (error) {
    const isRefused =
      error instanceof RelayError && (error.code === 'unauthorized' || error.code === 'forbidden')
    return !isRefused
  }
}
