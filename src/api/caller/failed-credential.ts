import type { KeyFault } from '../../access/key.ts'
import { RelayError } from '../../model/errors.ts'

/** A key that was presented under the id of a key of a workspace, and is not valid. */
type FailedKey = { workspaceId: string; keyId: string; fault: KeyFault }

/** The refusal of such a key: to the caller one like any other, and a row in the log of the workspace. */
export class FailedCredential extends RelayError {
  readonly key: FailedKey

  constructor(key: FailedKey) {
    super('unauthorized', INVALID_KEY)
    this.key = key
  }
}

/** Says the same of all keys that are not valid. */
export const INVALID_KEY = 'This key is not valid.'
