import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Relay } from '../relay.ts'
import { hasBody, readJson } from './body.ts'
import type { AppEnv } from './context.ts'
import { invalidInput } from './error-response.ts'

/** Bytes of a request that is not a publish. */
const BODY_BYTES_MAX = 1_000_000
/** The same calls under both prefixes; seed 002's curl lines use the shorter one. */
export const API_PREFIXES = ['/api/v1', '/v1'] as const

type Parts = { query?: z.ZodType; body?: z.ZodType }
type Parsed<S> = S extends z.ZodType ? z.infer<S> : undefined

/** What a handler is given: parsed input, and the workspace the key may act in. */
export type RouteInput<P extends Parts> = {
  relay: Relay
  workspaceId: string
  /** The `{id}` of the path; empty where it has none. */
  id: string
  query: Parsed<P['query']>
  body: Parsed<P['body']>
  /** The body as it was sent; empty where there was none. */
  bodyText: string
  url: URL
  background: (work: Promise<unknown>) => void
}

/** What a handler answers; becomes `{"success": true, "data", "pagination"?}`. */
export type RouteAnswer = {
  status?: 200 | 201 | 202
  data: unknown
  pagination?: { nextCursor: string | null }
}

/** One call of the API: where it is, what it takes, what it does. `path` is relative, with `{name}` parameters. */
export type RouteDefinition<P extends Parts = Parts> = P & {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  summary: string
  tag: string
  status?: 200 | 201 | 202
  answer: z.ZodType
  paged?: boolean
  /** Bytes of the body, where more than the usual are taken. */
  bodyBytesMax?: number
  /** Whether the body may be left out. */
  bodyOptional?: boolean
}

/** A call that can be mounted on an application. */
export type Route = (app: OpenAPIHono<AppEnv>) => void

/** Binds a definition to its handler, under both prefixes, and describes it in the OpenAPI document. */
export function defineRoute<const P extends Parts>(
  definition: RouteDefinition<P>,
  handle: (input: RouteInput<P>) => Promise<RouteAnswer>,
): Route {
  return (app) => {
    describe(app, definition)
    for (const prefix of API_PREFIXES) {
      app.on(
        definition.method.toUpperCase(),
        prefix + definition.path.replace(/\{(\w+)\}/g, ':$1'),
        async (c) => {
          const { status, data, pagination } = await handle(await readInput(c, definition))
          const code = status ?? definition.status ?? 200
          return c.json({ success: true, data, ...(pagination && { pagination }) }, code)
        },
      )
    }
  }
}

async function readInput<P extends Parts>(
  c: Context<AppEnv>,
  { query, body, bodyOptional, bodyBytesMax = BODY_BYTES_MAX }: RouteDefinition<P>,
) {
  const input = {
    relay: c.get('relay'),
    workspaceId: c.get('workspaceId'),
    id: c.req.param('id') ?? '',
    query: query === undefined ? undefined : parse(query, c.req.query()),
    body: undefined as unknown,
    bodyText: '',
    url: new URL(c.req.url),
    background: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
  }
  if (body === undefined) return input as RouteInput<P>
  const isAbsent = bodyOptional === true && !hasBody(c.req.raw)
  const sent = isAbsent ? { text: '', value: {} } : await readJson(c.req.raw, bodyBytesMax)
  input.body = parse(body, sent.value)
  input.bodyText = sent.text
  return input as RouteInput<P>
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidInput(parsed.error, '')
  return parsed.data
}

function describe(app: OpenAPIHono<AppEnv>, definition: RouteDefinition): void {
  const { method, path, summary, tag, status = 200, answer, paged, query, body } = definition
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  const params = z.object(Object.fromEntries(names.map((name) => [name, z.string()])))
  const envelope = z.object({
    success: z.literal(true),
    data: answer,
    ...(paged && { pagination: z.object({ nextCursor: z.string().nullable() }) }),
  })
  app.openAPIRegistry.registerPath({
    method,
    path: `/api/v1${path}`,
    summary,
    tags: [tag],
    security: [{ bearer: [] }],
    request: {
      ...(names.length > 0 && { params }),
      ...(query !== undefined && { query: query as z.ZodObject }),
      ...(body !== undefined && {
        body: {
          required: definition.bodyOptional !== true,
          content: { 'application/json': { schema: body } },
        },
      }),
    },
    responses: {
      [status]: { description: 'Success', content: { 'application/json': { schema: envelope } } },
      default: { description: 'Refusal', content: { 'application/json': { schema: errorSchema } } },
    },
  })
}

/** The error body, for the document. */
export const errorSchema = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
  }),
})
