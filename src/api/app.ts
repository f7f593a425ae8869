import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { logToConsole } from '../base/log.ts'
import { sleep } from '../base/time.ts'
import type { DestinationRules } from '../destination/url.ts'
import { invalidField } from '../model/errors.ts'
import { PROMETHEUS_CONTENT_TYPE } from '../operate/prometheus.ts'
import type { StatusDeps } from '../operate/status.ts'
import { isReceivedLogged, logReceived } from '../publish/received-line.ts'
import type { Relay, RelayResult } from '../relay.ts'
import { authenticate } from './auth.ts'
import type { ApiDeps, AppEnv } from './context.ts'
import { API_PREFIXES } from './define-route.ts'
import { drainRefused } from './drain.ts'
import { errorResponse } from './error-response.ts'
import { describeApi, OpenApiDocument } from './openapi/document.ts'
import { healthAnswer } from './operations/health.ts'
import { keySet } from './operations/jwks.ts'
import { relayMetrics } from './operations/metrics.ts'
import { KnownCalls } from './request/known-calls.ts'
import { stopping, unready } from './unready.ts'
import { routes } from './v1/routes.ts'

type RelaySource = (env: Env) => RelayResult | Promise<RelayResult>

/** Builds the HTTP application; `relayOf` finds the isolate's relay. */
export function createApp(relayOf: RelaySource): Hono<AppEnv> {
  // A slash at the end of a path changes nothing.
  const app = new Hono<AppEnv>({ strict: false })
  app.use(nameRequest, drainRefused, requireHost, refuseWhileStopping(relayOf))
  const authenticated: MiddlewareHandler<AppEnv> = async (c, next) => {
    const relay = requireRelay(await relayOf(c.env))
    c.set('workspaceId', authenticate(c.req.raw, relay.settings.adminKey))
    c.set('deps', apiDeps(relay, c))
    await next()
  }
  app.get('/healthz', async (c) => c.json(await healthAnswer(requireRelay(await relayOf(c.env)))))
  app.get('/jwks/:id', async (c) => {
    const deps = apiDeps(requireRelay(await relayOf(c.env)), c)
    return c.json(await keySet(deps, c.req.param('id')), 200, { 'Cache-Control': 'public, max-age=300' })
  })
  app.use('/metrics', authenticated)
  app.get('/metrics', async (c) =>
    c.body(await relayMetrics(c.get('deps')), 200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE }),
  )
  const document = new OpenApiDocument(() => describeApi(routes))
  app.get('/openapi.json', (c) => document.answer(new URL(c.req.url).origin))
  for (const prefix of API_PREFIXES) app.use(`${prefix}/*`, authenticated)
  for (const route of routes) route.mount(app)
  const calls = new KnownCalls(app.routes)
  app.notFound((c) => errorResponse(calls.refuse(c.req.method, c.req.path), c.get('requestId'), logToConsole))
  app.onError((error, c) => errorResponse(error, c.get('requestId'), logToConsole))
  return app
}

/**
 * Gives each request the id by which the log and the caller know it. An answer is of the type it says, and no cache on
 * the way keeps what it shows, unless it allows that.
 */
const nameRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const requestId = `req_${crypto.randomUUID().replaceAll('-', '')}`
  c.set('requestId', requestId)
  await next()
  c.header('X-Request-Id', requestId)
  c.header('X-Content-Type-Options', 'nosniff')
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
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

function requireRelay(result: RelayResult): Relay {
  if (!result.ok) throw unready('settings', result.message)
  return result.relay
}

function apiDeps(relay: Relay, c: Context<AppEnv>): ApiDeps {
  const { env, vault, now, log, hints } = relay
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work)
  return {
    db: env.DB,
    bodies: env.BODIES,
    bodyBudgets: relay.bodyBudgets,
    vault,
    now,
    newKey: () => crypto.randomUUID(),
    log,
    hints,
    background,
    destinations: destinationRules(relay, new URL(c.req.url).hostname),
    capacity: () => relay.capacity(background),
    publish: {
      ...relay.publish(background),
      sleep,
    },
    logReceived: (request, answers) => {
      if (!isReceivedLogged(relay, answers)) return
      logReceived(relay, { ...request, requestId: c.get('requestId') }, answers)
    },
    preview: { ...relay.request, db: env.DB, bodies: env.BODIES },
    status: statusDeps(relay),
  }
}

function destinationRules({ settings, request }: Relay, calledBy: string): DestinationRules {
  const { allowPrivateDestinations: allowPrivate, ownHostnames: named } = settings
  const ownHostnames = allowPrivate ? named : [...named, calledBy]
  return { ...request.destinations, allowPrivate, ownHostnames }
}

/** The queue of dead letters has no producer, and so cannot be asked. */
function statusDeps({ env, now, settings }: Relay): StatusDeps {
  const queues = {
    deliveries: env.DELIVERIES,
    'bulk-deliveries': env.BULK_DELIVERIES,
    'unproven-deliveries': env.UNPROVEN_DELIVERIES,
    retries: env.RETRIES,
    paced: env.PACED,
  }
  return {
    db: env.DB,
    now,
    maxDatabaseBytes: settings.maxDatabaseBytes,
    queues: Object.entries(queues).map(([name, queue]) => ({ name, metrics: () => queue.metrics() })),
  }
}
