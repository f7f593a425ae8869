import type { Context, Hono } from 'hono'
import * as z from 'zod'
import { type Caller, mayCall } from '../access/caller.ts'
import { callerIdSchema } from '../model/event.ts'
import { type AuditRule, auditSuccess, isAudited } from './audit.ts'
import { hasBody, type JsonBody, readJson } from './body/body.ts'
import { BodyHold } from './body/body-hold.ts'
import type { RouteAccess } from './caller/auth.ts'
import type { ApiDeps, AppEnv } from './context.ts'
import { invalidInput } from './error-response.ts'
import type { Guard } from './guard.ts'
import type { OwnRefusal } from './openapi/refusals.ts'
import { keptKey, requireReach } from './reach.ts'
import { answerOnce } from './request/answer-once.ts'
import { type BodyReading, parseBody } from './request/parse-body.ts'

/** Bytes of a request that is not a publish. */
const BODY_BYTES_MAX = 1_000_000
/** Both prefixes carry the same calls. */
export const API_PREFIXES = ['/api/v1', '/v1'] as const

const NOTHING_SENT: JsonBody = { text: '', value: {}, bytes: 0 }

/** The headers of such a call. */
export const KEY_HEADERS = z.object({
  'Idempotency-Key': callerIdSchema
    .optional()
    .describe('The same request again under this key gets the first answer, for 24 hours'),
})

type Parts = { query?: z.ZodObject; headers?: z.ZodObject; body?: z.ZodType }
type Parsed<S> = S extends z.ZodType ? z.infer<S> : undefined

/** A request as its handler sees it: parsed, and in the workspace that its key may act in. */
export type RouteInput<P extends Parts> = {
  deps: ApiDeps
  workspaceId: string
  caller: Caller
  /** The `{id}` of the path; empty where it has none. */
  id: string
  query: Parsed<P['query']>
  headers: Parsed<P['headers']>
  body: Parsed<P['body']>
  /** The body's room in memory. */
  hold: BodyHold
  /** The body before it was parsed, so that parts of it can be passed on as they were sent. */
  sent: JsonBody
  url: URL
}

type Success = 200 | 201 | 202

/** Becomes `{"success": true, "data", "pagination"?}`; a status beside the usual one must be declared. */
export type RouteAnswer<S extends Success = Success> = {
  status?: S
  data: unknown
  pagination?: { nextCursor: string | null; searchedUntil?: string | null }
  /** True for the first answer to the same request, given again. */
  isRepeated?: boolean
  /** For the audit log: what changed, where that is not what the body names; null where nothing did. */
  changed?: Record<string, unknown> | null
}

/** An answer under another status than the usual one. */
export type OtherAnswer = { answer: z.ZodType; description: string }

/** One call of the API; `path` is relative, with `{name}` parameters. */
export type RouteDefinition<
  P extends Parts = Parts,
  S extends Success = Success,
  O extends Success = Success,
> = P &
  RouteAccess &
  Pick<BodyReading, 'naming' | 'readOnly' | 'alsoCheck'> & {
    method: 'get' | 'post' | 'put' | 'patch' | 'delete'
    path: string
    /** The name of the call in generated clients. */
    operationId: string
    summary: string
    tag: string
    status?: S
    answer: z.ZodType
    answerDescription?: string
    otherAnswers?: { [status in O]?: OtherAnswer }
    /** The codes with which the handler refuses, beside those of every call and of every body. */
    refusals: readonly OwnRefusal[]
    /** Other than usual: a call that is no GET, or shows a secret, has a row in the log of its workspace. */
    audit?: AuditRule
    /** A type in which the handler gives the answer as a `Response` where `Accept` asks for it. */
    exportType?: string
    /** The type of an answer other than JSON, which the handler gives as a `Response`. */
    answerType?: string
    paged?: boolean
    /** A body that is read and described here, and validated by the handler. */
    sentBody?: z.ZodType
    /** Raises the limit of the body. */
    bodyBytesMax?: number
    /** Lets the body be left out. */
    bodyOptional?: boolean
    /** The effect of an `Idempotency-Key`: a POST keeps its first answer for it, unless it says otherwise here. */
    idempotency?: 'kept' | 'own' | 'none'
  }

/** A call that can be mounted on an application, and what the API document says of it. */
export type Route = { definition: RouteDefinition; mount(app: Hono<AppEnv>, guard: Guard): void }

type Handler<P extends Parts, S extends Success> = (
  input: RouteInput<P>,
) => Promise<RouteAnswer<S> | Response>

/** Binds a definition to its handler under both prefixes. */
export function defineRoute<
  const P extends Parts,
  const S extends Success = 200,
  const O extends Success = never,
>(definition: RouteDefinition<P, S, O>, handle: Handler<P, NoInfer<S | O>>): Route {
  const { method, path, status: usual = 200 } = definition
  const answer = async (c: Context<AppEnv>) => {
    const audited = withAudit(c, definition, withReach(definition, handle))
    const answered = await holdingBody(c, definition, async (hold) => {
      const input = await readInput(c, definition, hold)
      return keepsAnswers(definition)
        ? await handleOnce(c, definition, { input, handle: audited })
        : await audited(input)
    })
    if (answered instanceof Response) return answered
    const { status = usual, data, pagination, isRepeated = false } = answered
    if (isRepeated) c.header('Idempotent-Replayed', 'true')
    return c.json({ success: true, data, ...(pagination && { pagination }) }, status)
  }
  return {
    definition,
    mount(app, guard) {
      for (const prefix of API_PREFIXES) {
        const pattern = prefix + path.replace(/\{(\w+)\}/g, ':$1')
        app.on(method.toUpperCase(), pattern, guard(definition), answer)
      }
    },
  }
}

/** True for a call that keeps its first answer under an `Idempotency-Key`. */
export function keepsAnswers({
  method,
  idempotency,
}: Pick<RouteDefinition, 'method' | 'idempotency'>): boolean {
  return method === 'post' && (idempotency ?? 'kept') === 'kept'
}

/** Handles a request that may have an `Idempotency-Key`, which makes it one with those that say the same. */
async function handleOnce<P extends Parts, S extends Success>(
  c: Context<AppEnv>,
  definition: RouteDefinition<P>,
  { input, handle }: { input: RouteInput<P>; handle: Handler<P, S> },
): Promise<RouteAnswer<S> | Response> {
  const named = namedHeaders(c, KEY_HEADERS)
  const { 'Idempotency-Key': key } = parse(KEY_HEADERS, named) as z.infer<typeof KEY_HEADERS>
  if (key === undefined) return await handle(input)
  const prefix = API_PREFIXES.find((each) => c.req.path.startsWith(`${each}/`)) ?? ''
  const sent = [c.req.method, c.req.path.slice(prefix.length), input.url.search, input.sent.text]
  // An answer that shows a secret was for a caller who may see it: for another it is that of another request.
  const content = mayCall(input.caller, 'webhooks:secret') ? sent : [...sent, 'secrets masked']
  const request = { workspaceId: input.workspaceId, key: await keptKey(key, input.caller), content }
  const answered = await answerOnce(input.deps, request, async (deps) => {
    const answer = await handle({ ...input, deps })
    if (answer instanceof Response) throw new Error('only answers in JSON can be kept')
    return answer
  })
  if (answered.isRepeated === true)
    await auditSuccess(c, definition, { body: input.body, answer: answered, outcome: 'repeated' })
  return answered
}

/** The same handler, of which nothing is answered where it does not ask what its caller may see. */
function withReach<P extends Parts, S extends Success>(
  definition: RouteDefinition<P>,
  handle: Handler<P, S>,
): Handler<P, S> {
  return async (input) => {
    const answer = await handle(input)
    requireReach(definition, input.deps.reach)
    return answer
  }
}

/** The same handler, whose success is answered once its row is in the audit log. */
function withAudit<P extends Parts, S extends Success>(
  c: Context<AppEnv>,
  definition: RouteDefinition<P>,
  handle: Handler<P, S>,
): Handler<P, S> {
  return async (input) => {
    const answer = await handle(input)
    const shown = answer instanceof Response ? null : answer
    await auditSuccess(c, definition, { body: input.body, answer: shown, outcome: 'done' })
    return answer
  }
}

/**
 * Gives the room of a body back after the work. It goes on when the client leaves, or nothing would give it back, and
 * what is changed would have no row in the audit log.
 */
async function holdingBody<T>(
  c: Context<AppEnv>,
  definition: Pick<RouteDefinition, 'method' | 'scope' | 'audit'>,
  work: (hold: BodyHold) => Promise<T>,
): Promise<T> {
  const { bodyBudgets, background } = c.get('deps')
  const hold = new BodyHold(bodyBudgets)
  if (c.req.raw.body === null && !isAudited(definition)) return await work(hold)
  const working = work(hold)
  background(working.catch(() => undefined).finally(() => hold.release()))
  return await working
}

async function readInput<P extends Parts>(
  c: Context<AppEnv>,
  definition: RouteDefinition<P>,
  hold: BodyHold,
): Promise<RouteInput<P>> {
  const { query, headers, body, sentBody } = definition
  const input = {
    deps: c.get('deps'),
    workspaceId: c.get('workspaceId'),
    caller: c.get('caller'),
    hold,
    id: c.req.param('id') ?? '',
    query: query && parse(query, c.req.query()),
    headers: headers && parse(headers, namedHeaders(c, headers)),
    url: new URL(c.req.url),
  }
  const isBodyRead = body !== undefined || sentBody !== undefined
  const sent = isBodyRead ? await readSent(c.req.raw, definition, hold) : NOTHING_SENT
  const parsed = body && (await parseBody({ ...definition, schema: body }, sent.value, input))
  return { ...input, body: parsed, sent } as RouteInput<P>
}

/** Header names have no case; the schema's spelling is the one that refusals show. */
function namedHeaders(c: Context<AppEnv>, { shape }: z.ZodObject): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(shape).map((name) => [name, c.req.header(name)]))
}

async function readSent(
  request: Request,
  { bodyOptional = false, bodyBytesMax: bytesMax = BODY_BYTES_MAX }: RouteDefinition,
  hold: BodyHold,
): Promise<JsonBody> {
  return bodyOptional && !hasBody(request) ? NOTHING_SENT : await readJson(request, { bytesMax, hold })
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidInput(parsed.error, '')
  return parsed.data
}
