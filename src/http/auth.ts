import type { MiddlewareHandler } from 'hono'
import { callerIdSchema } from '../domain/event.ts'
import { LOCAL_ADMIN_KEY } from '../env.ts'
import { invalidField, RelayError } from '../errors.ts'
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
    await requireAdminKey(c.req.header('authorization'), relay.settings.adminKey)
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

async function requireAdminKey(header: string | undefined, adminKey: string): Promise<void> {
  const [scheme, key, ...rest] = (header ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || key === '' || rest.length > 0) {
    throw new RelayError('unauthorized', 'Send your key as "Authorization: Bearer <key>".')
  }
  if (!(await isSameText(key, adminKey))) throw new RelayError('unauthorized', 'This key is not valid.')
}

/** Compares digests in constant time, so that neither the key's content nor its length shows in the answer's timing. */
async function isSameText(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([digest(a), digest(b)])
  return crypto.subtle.timingSafeEqual(left, right)
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
}
