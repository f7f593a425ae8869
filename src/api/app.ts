import { OpenAPIHono } from '@hono/zod-openapi'
import { logToConsole } from '../base/log.ts'
import { RelayError } from '../model/errors.ts'
import { PROMETHEUS_CONTENT_TYPE } from '../operate/prometheus.ts'
import { checkStore } from '../operate/status.sql.ts'
import { authenticate } from './auth.ts'
import type { AppEnv, RelaySource } from './context.ts'
import { API_PREFIXES } from './define-route.ts'
import { errorResponse } from './error-response.ts'
import { openApiDocument } from './openapi.ts'
import { keySet } from './operations/jwks.ts'
import { relayMetrics } from './operations/metrics.ts'
import { routes } from './v1/routes.ts'

/** Builds the HTTP application; `relayOf` finds the isolate's relay. */
export function createApp(relayOf: RelaySource): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.use(async (c, next) => {
    const requestId = `req_${crypto.randomUUID().replaceAll('-', '')}`
    c.set('requestId', requestId)
    await next()
    c.header('X-Request-Id', requestId)
  })
  app.get('/healthz', async (c) => {
    const result = relayOf(c.env)
    if (!result.ok) throw new RelayError('unavailable', result.message)
    await checkStore(result.relay.env.DB)
    return c.json({ status: 'ok' })
  })
  app.get('/jwks/:id', async (c) => {
    const result = relayOf(c.env)
    if (!result.ok) throw new RelayError('unavailable', result.message)
    return c.json(await keySet(result.relay, c.req.param('id')))
  })
  app.use('/metrics', authenticate(relayOf))
  app.get('/metrics', async (c) =>
    c.body(await relayMetrics(c.get('relay')), 200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE }),
  )
  app.get('/openapi.json', (c) => c.json(openApiDocument(app, new URL(c.req.url).origin)))
  for (const prefix of API_PREFIXES) app.use(`${prefix}/*`, authenticate(relayOf))
  for (const mount of routes) mount(app)
  app.notFound((c) => errorResponse(unknownCall(c.req.method, c.req.path), c.get('requestId'), logToConsole))
  app.onError((error, c) => errorResponse(error, c.get('requestId'), logToConsole))
  return app
}

function unknownCall(method: string, path: string): RelayError {
  return new RelayError(
    'not_found',
    `There is no call ${method} ${path.slice(0, 200)}; GET /openapi.json lists them.`,
  )
}
