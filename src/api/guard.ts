import type { MiddlewareHandler } from 'hono'
import type { Relay, RelayResult } from '../relay.ts'
import { accessError, authenticate, type RouteAccess } from './auth.ts'
import type { AppEnv } from './context.ts'
import { apiDeps } from './deps.ts'
import { unready } from './unready.ts'

/** Finds the isolate's relay for a request. */
export type RelaySource = (env: Env) => RelayResult | Promise<RelayResult>

/** Makes what stands before a route: it lets a request pass whose caller may make the call. */
export type Guard = (route: RouteAccess) => MiddlewareHandler<AppEnv>

/** The caller is known to what comes after as soon as the credential is valid, also where the call is then refused. */
export function guardOf(relayOf: RelaySource): Guard {
  return (route) => async (c, next) => {
    const relay = requireRelay(await relayOf(c.env))
    const { settings, access, now } = relay
    const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
    const deps = { settings, access, now, background }
    const { caller, refusal, judge } = await authenticate(deps, c.req.raw, route)
    c.set('caller', caller)
    c.set('workspaceId', caller.workspaceId)
    c.set('deps', apiDeps(relay, c, judge))
    if (refusal !== null) throw accessError(refusal)
    await next()
  }
}

/** The relay, or the refusal of one that lacks its settings. */
export function requireRelay(result: RelayResult): Relay {
  if (!result.ok) throw unready('settings', result.message)
  return result.relay
}
