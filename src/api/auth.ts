import { LOCAL_ADMIN_KEY } from '../env.ts'
import { invalidField, RelayError } from '../model/errors.ts'

/** The names of workspaces. */
const WORKSPACE_ID = /^[A-Za-z0-9_-]{1,128}$/
/** The workspace of a caller that names none. */
const DEFAULT_WORKSPACE = 'default'
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/
/** Longest key that is compared at all. */
const KEY_BYTES_MAX = 512

/**
 * Checks a request's key and answers the workspace it acts in: the admin key may act in any, named by
 * `X-Company-Id`. Throws the refusal.
 */
export function authenticate({ url, headers }: Request, adminKey: string): string {
  if (adminKey === LOCAL_ADMIN_KEY && !LOOPBACK.test(new URL(url).hostname)) {
    throw new RelayError(
      'unavailable',
      `This relay still has the key for local runs, which works on loopback only: set ADMIN_KEY (\`npx wrangler secret put ADMIN_KEY\`).`,
    )
  }
  requireAdminKey(headers.get('authorization'), adminKey)
  return workspaceOf(headers.get('x-company-id'))
}

function requireAdminKey(header: string | null, adminKey: string): void {
  const [scheme, key, ...rest] = (header ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || key === '' || rest.length > 0) {
    throw new RelayError('unauthorized', 'Send your key as "Authorization: Bearer <key>".')
  }
  if (!isSameKey(key, adminKey)) throw new RelayError('unauthorized', 'This key is not valid.')
}

function workspaceOf(header: string | null): string {
  if (header === null) return DEFAULT_WORKSPACE
  if (!WORKSPACE_ID.test(header))
    throw invalidField('X-Company-Id', 'must be 1-128 characters of A-Z a-z 0-9 _ -')
  return header
}

/** Compares in constant time. Both keys are padded to one length, which hides the length of ours. */
function isSameKey(given: string, ours: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(ours)) && given.length === ours.length
}

function padded(key: string): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES_MAX)
  new TextEncoder().encodeInto(key, bytes)
  return bytes
}
