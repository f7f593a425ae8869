import type { Context, MiddlewareHandler } from 'hono'
import { bindingOf, type Caller } from '../access/caller.ts'
import { rateLimitHeaders } from '../limits/rate-limit-headers.ts'
import type { Relay, RelayResult } from '../relay.ts'
import { WorkspaceDeleting } from '../workspace/deletion.ts'
import { type AuditedRoute, auditRefusal } from './audit.ts'
import { accessError, authenticate, type RouteAccess } from './caller/auth.ts'
import { isStillAllowed } from './caller/still-allowed.ts'
import type { ApiDeps, AppEnv } from './context.ts'
import { apiDeps } from './deps.ts'
import { CallerLimits, limitedKey } from './limits/caller-limits.ts'
import { countFailedAuthentication, type FailureCounter } from './limits/failed-authentications.ts'
import { limitReached } from './limits/limit-refusals.ts'
import { unready } from './unready.ts'

/** Finds the isolate's relay for a request. */
export type RelaySource = (env: Env) => RelayResult | Promise<RelayResult>

/** A call of the API, or another path that asks for a credential. */
type GuardedRoute = RouteAccess | (RouteAccess & AuditedRoute)

/** Makes what stands before a route: it lets a request pass whose caller may make the call. */
export type Guard = (route: GuardedRoute) => MiddlewareHandler<AppEnv>

/** Refusals have rows in the audit log whoever has made them: the guard, or what comes after it. */
export function guardOf(relayOf: RelaySource): Guard {
  return (route) => async (c, next) => {
    const relay = requireRelay(await relayOf(c.env))
    const noteRefusal = (error: unknown) => {
      // The log of a workspace that is being deleted goes with it.
      if (error instanceof WorkspaceDeleting) return
      const deps = { db: relay.env.DB, audit: relay.audit, now: relay.now, log: relay.log }
      const call = 'operationId' in route ? route : null
      c.executionCtx.waitUntil(auditRefusal(deps, c, { route: call, error }))
    }
    try {
      await admit(relay, c, route)
    } catch (error) {
      noteRefusal(error)
      throw error
    }
    await next()
    // The framework has made an answer of what was thrown further on.
    if (c.error !== undefined) noteRefusal(c.error)
  }
}

/** The caller is known to what comes after as soon as the credential is valid, also where the call is then refused. */
async function admit(relay: Relay, c: Context<AppEnv>, route: RouteAccess): Promise<void> {
  const { settings, access, now } = relay
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  const counter: FailureCounter | undefined = c.env.FAILED_AUTHENTICATIONS
  const auth = { settings, access, now, background }
  const { caller, refusal, judge } = await authenticate(auth, c.req.raw, route).catch(async (error) => {
    await countFailedAuthentication(counter, c.req.raw.headers, error)
    throw error
  })
  const limits = new CallerLimits({ ...relay.limits, now, background }, limitedKey(caller))
  const isAllowed = () => isStillAllowed({ auth, deletions: relay.deletions, request: c.req.raw, route })
  c.set('caller', caller)
  c.set('workspaceId', caller.workspaceId)
  c.set('deps', apiDeps(relay, c, { caller, judge, limits, isStillAllowed: isAllowed }))
  if (refusal !== null) throw accessError(refusal)
  const { workspaceId } = caller
  if (asksForWorkspace(route) && (await relay.deletions.has(workspaceId)))
    throw new WorkspaceDeleting(workspaceId)
  const reached = await limits.admitCall(caller, route)
  if (reached !== null) throw limitReached(reached)
}

/** A publish meets the deletion of its workspace at its commit; the operator's calls are about all workspaces. */
function asksForWorkspace({ scope, isJudgedAtCommit, answersWhileDeleting }: RouteAccess): boolean {
  return scope !== 'operator' && isJudgedAtCommit !== true && answersWhileDeleting !== true
}

/**
 * Shows what is left of the limits that a call was held to, on its answer or refusal; not to those who are bound to some
 * subscriptions, since it tells what all others use.
 */
export const showLimits: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  // A request without a valid credential has neither.
  const caller = c.get('caller') as Caller | undefined
  if (caller === undefined || bindingOf(caller) !== null) return
  const { limits } = c.get('deps') as ApiDeps
  for (const [name, value] of Object.entries(rateLimitHeaders(limits.left()))) c.res.headers.set(name, value)
}

/** The relay, or the refusal of one that lacks its settings. */
export function requireRelay(result: RelayResult): Relay {
  if (!result.ok) throw unready('settings', result.message)
  return result.relay
}
