import type { Route } from '../../define-route.ts'
import { deleteKey, getKey, rotateKey, updateKey } from './key.ts'
import { createKey, listKeys } from './keys.ts'
import { createPortalToken, deletePortalTokens } from './portal-tokens.ts'
import { getSession } from './session.ts'

/** Calls that are about keys and who calls, in the order of the API document. */
export const accessRoutes: readonly Route[] = [
  getSession,
  listKeys,
  createKey,
  getKey,
  updateKey,
  deleteKey,
  rotateKey,
  createPortalToken,
  deletePortalTokens,
]
