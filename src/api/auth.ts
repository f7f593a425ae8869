import type { MiddlewareHandler } from 'hono'
import { LOCAL_ADMIN_KEY } from '../env.ts'
import { invalidField, RelayError } from '../model/errors.ts'
import { callerIdSchema } from '../model/event.ts'
import type { AppEnv, RelaySource } from './context.ts'

/** Where an admin key acts when it names no workspace. */
const DEFAULT_WORKSPACE = 'default'
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Finds the relay, checks the key and chooses the workspace: the admin key may act in any, named by `X-Company-Id`. */
export function authenticate(relayOf: RelaySource): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const result = relayOf(c.env)
    if (!result.ok) throw new RelayError('unavailable', result.message)
    const { relay } = result
    if (relay.settings.adminKey === LOCAL_ADMIN_KEY && !LOOPBACK.test(new URL(c.req.url).hostname)) {
      throw new RelayError(
        'unavailable',
        `This relay still has the key for local runs, which works on loopback only: set ADMIN_KEY (\`npx wrangler secret put ADMIN_KEY\`).`,
      )
    }
    requireAdminKey(c.req.header('authorization'), relay.settings.adminKey)
    c.set('relay', relay)
    c.set('workspaceId', workspaceOf(c.req.header('x-company-id')))
    await next()
  }
}

function workspaceOf(header: string | undefined): string {
  if (header === undefined) return DEFAULT_WORKSPACE
  const parsed = callerIdSchema.safeParse(header)
  if (!parsed.success) throw invalidField('X-Company-Id', 'must be 1-128 characters of A-Z a-z 0-9 _ -')
  return parsed.data
}

function requireAdminKey(header: string | undefined, adminKey: string): void {
  const [scheme, key, ...rest] = (header ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || key === '' || rest.length > 0) {
    throw new RelayError('unauthorized', 'Send your key as "Authorization: Bearer <key>".')
  }
  if (!isSameKey(key, adminKey)) throw new RelayError('unauthorized', 'This key is not valid.')
}

/** Longest key that is compared at all, in bytes. */
const KEY_BYTES_MAX = 512

/** Compares in constant time. Both are padded to one length first, so that not even the length of ours shows. */
function isSameKey(given: string, ours: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(ours)) && given.length === ours.length
}

function padded(key: string): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES_MAX)
  new TextEncoder().encodeInto(key, bytes)
  return bytes
}
