import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { logToConsole } from '../base/log.ts'
import { invalidField } from '../model/errors.ts'
import { PROMETHEUS_CONTENT_TYPE } from '../operate/prometheus.ts'
import { drainRefused } from './body/drain.ts'
import { allowOrigins } from './browser/cors.ts'
import { dashboardAnswer } from './browser/dashboard.ts'
import { secureAnswers } from './browser/security-headers.ts'
import type { AppEnv } from './context.ts'
import { API_PREFIXES } from './define-route.ts'
import { publicDeps } from './deps.ts'
import { errorResponse } from './error-response.ts'
import { guardOf, type RelaySource, requireRelay, showLimits } from './guard.ts'
import { mountMcp } from './mcp/mount-mcp.ts'
import { describeApi, OpenApiDocument } from './openapi/document.ts'
import { healthAnswer } from './operations/health.ts'
import { keySet } from './operations/jwks.ts'
import { relayMetrics } from './operations/metrics.ts'
import { KnownCalls } from './request/known-calls.ts'
import { limitHead } from './request/limits.ts'
import { stopping } from './unready.ts'
import { mountListenerSocket } from './v1/listeners/listener-socket.ts'
import { routes } from './v1/routes.ts'

/** Builds the HTTP application; `relayOf` finds the isolate's relay. */
export function createApp(relayOf: RelaySource): Hono<AppEnv> {
  // A slash at the end of a path changes nothing.
  const app = new Hono<AppEnv>({ strict: false })
  const origins = originsIn(relayOf)
  const portalOrigins = async (c: Context<AppEnv>) => ({
    frameAncestors: await origins(c, 'portalFrameAncestors'),
    logos: await origins(c, 'portalLogoOrigins'),
  })
  app.use(nameRequest, secureAnswers(portalOrigins))
  app.use(
    allowOrigins((c) => origins(c, 'corsOrigins')),
    showLimits,
  )
  app.use(drainRefused, requireHost, limitHead, refuseWhileStopping(relayOf))
  const guard = guardOf(relayOf)
  app.get('/healthz', async (c) => c.json(await healthAnswer(requireRelay(await relayOf(c.env)))))
  app.get('/jwks/:id', async (c) => {
    const deps = publicDeps(requireRelay(await relayOf(c.env)))
    return c.json(await keySet(deps, c.req.param('id')), 200, { 'Cache-Control': 'public, max-age=300' })
  })
  app.use('/metrics', guard({ scope: 'operator', forBound: 'refused' }))
  app.get('/metrics', async (c) =>
    c.body(await relayMetrics(c.get('deps')), 200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE }),
  )
  const document = new OpenApiDocument(() => describeApi(routes))
  app.get('/openapi.json', (c) => document.answer(new URL(c.req.url).origin))
  for (const route of routes) route.mount(app, guard)
  mountListenerSocket(app, relayOf)
  mountMcp(app, relayOf, guard)
  // A stranger is not told which paths are calls.
  for (const prefix of API_PREFIXES) app.use(`${prefix}/*`, guard({ scope: 'any', forBound: 'shared' }))
  const calls = new KnownCalls(app.routes)
  app.notFound(
    async (c) =>
      (await dashboardAnswer(c)) ??
      errorResponse(calls.refuse(c.req.method, c.req.path), c.get('requestId'), logToConsole),
  )
  app.onError((error, c) => errorResponse(error, c.get('requestId'), logToConsole))
  return app
}

/** Gives each request the id by which the log and the caller know it. */
const nameRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const requestId = `req_${crypto.randomUUID().replaceAll('-', '')}`
  c.set('requestId', requestId)
  await next()
  c.res.headers.set('X-Request-Id', requestId)
}

type OriginSetting = 'corsOrigins' | 'portalFrameAncestors' | 'portalLogoOrigins'

function originsIn(relayOf: RelaySource) {
  return async (c: Context<AppEnv>, name: OriginSetting): Promise<readonly string[]> => {
    const result = await relayOf(c.env)
    return result.ok ? result.relay.settings[name] : []
  }
}

/** HTTP lets a request carry several Host headers, or one that is no host; no URL can be made of it. */
const requireHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!URL.canParse(c.req.url)) throw invalidField('Host', 'must be one valid host name')
  await next()
}

/** Answers what was begun before a stop, and refuses what comes after it. */
function refuseWhileStopping(relayOf: RelaySource): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const result = await relayOf(c.env)
    if (!result.ok) return await next()
    if (result.relay.drain.isClosed) throw stopping()
    await result.relay.drain.finish(next)
  }
}
