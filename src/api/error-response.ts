import { HTTPException } from 'hono/http-exception'
import * as z from 'zod'
import { describeError, type Log } from '../base/log.ts'
import { ERROR_CODES, type Problem, RelayError, statusOf } from '../model/errors.ts'
import { WorkspaceDeleting } from '../workspace/deletion.ts'
import { storeRefusal } from './unready.ts'

const problemSchema = z
  .object({ path: z.string(), message: z.string().describe('What would be right') })
  .meta({ id: 'Problem', description: 'What is wrong with one field' })

const errorShape = {
  success: z.literal(false),
  error: z.object({
    code: z.enum(ERROR_CODES),
    message: z.string(),
    details: z.array(problemSchema).optional(),
    requestId: z.string(),
  }),
}

/** The body of every refusal. */
export const errorSchema = z
  .object(errorShape)
  .meta({ id: 'Error', description: 'The body of every refusal' })

export type ErrorBody = z.infer<typeof errorSchema>

/** Turns any thrown value into the one error body. An unknown error shows nothing but the request id. */
export function errorResponse(error: unknown, requestId: string, log: Log): Response {
  const known = toRelayError(error)
  if (known === null || (known.code === 'unavailable' && known !== error))
    log('request.failed', { requestId, error: describeError(error) })
  const { code, message, details, retryAfterSeconds, allow } =
    known ??
    new RelayError('internal', 'Something went wrong on our side; the request id will help to find out what.')
  const body: ErrorBody = { success: false, error: { code, message, ...(details && { details }), requestId } }
  const headers = new Headers({
    'Content-Type': 'application/json; charset=UTF-8',
    'X-Request-Id': requestId,
  })
  if (retryAfterSeconds !== undefined) headers.set('Retry-After', String(retryAfterSeconds))
  if (allow !== undefined) headers.set('Allow', allow.join(', '))
  if (code === 'unauthorized') headers.set('WWW-Authenticate', 'Bearer')
  return new Response(JSON.stringify(body), { status: statusOf(code), headers })
}

/** The refusal that an error is; null for a fault of the relay. */
export function toRelayError(error: unknown): RelayError | null {
  if (error instanceof RelayError) return error
  if (error instanceof WorkspaceDeleting) return workspaceGone(error.workspaceId)
  if (error instanceof HTTPException && error.status < 500)
    return new RelayError('invalid_request', error.message)
  return storeRefusal(describeError(error))
}

function workspaceGone(id: string): RelayError {
  const message = `The workspace ${id} is being deleted: nothing in it can be used any more, and its name is free once that is done.`
  return new RelayError('gone', message)
}

/**
 * Most offending fields that one answer lists, so that
 * 10 MB of them do not come back many times as large.
 */
const DETAILS_MAX = 100

/** Makes a refusal of all offending fields; `prefix` is the path of the value that was validated. */
export function invalidInput(error: z.ZodError, prefix: string): RelayError {
  return invalidRequest(problemsOf(error, prefix))
}

/** Every offending field of a value that its schema has refused. */
export function problemsOf(error: z.ZodError, prefix: string): Problem[] {
  return error.issues.flatMap((issue) => detailsOf(issue, prefix))
}

/** Makes a refusal of all these fields. */
export function invalidRequest(all: readonly Problem[]): RelayError {
  const details = all.slice(0, DETAILS_MAX)
  const [first] = details
  const summary = first === undefined ? 'The request is invalid.' : `${first.path}: ${first.message}`
  const more = all.length > 1 ? ` (and ${all.length - 1} more; see details)` : ''
  return new RelayError('invalid_request', summary + more, { details })
}

function detailsOf(issue: z.core.$ZodIssue, prefix: string): Problem[] {
  const path = joinPath(prefix, issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: joinPath(path, [key]),
      message: 'is not a field of this request',
    }))
  }
  const missing =
    issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message)
  return [
    {
      path: path === '' ? 'body' : path,
      message: missing ? `is required (${expected(issue)})` : plain(issue.message),
    },
  ]
}

function expected(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' ? issue.expected : 'a value'
}

function plain(message: string): string {
  return message.replace(/^Invalid input: expected (\w+), received (\w+)$/, 'must be $1, not $2')
}

function joinPath(prefix: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    const name = String(part).slice(0, 100)
    return text === '' ? name : `${text}.${name}`
  }, prefix)
}
