import { type ErrorCode, statusOf } from '../../model/errors.ts'
import { BODY_DEPTH_MAX, CONTAINERS_MAX, VALUES_MAX } from '../body/body.ts'
import { errorSchema } from '../error-response.ts'
import {
  HEADER_BYTES_MAX,
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  PARAMETER_CHARS_MAX,
  PARAMETERS_MAX,
  URL_CHARS_MAX,
} from '../request/limits.ts'
import { componentRef, type SchemaWriter } from './schemas.ts'

/** Codes with which any call of the API may be refused. */
const OF_ALL_CALLS = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'rate_limited',
  'gone',
  'uri_too_long',
  'headers_too_large',
  'internal',
  'unavailable',
] as const
/** Codes with which a call may be refused that takes a body. */
const OF_BODIES = ['payload_too_large', 'unsupported_media_type'] as const

/** Codes that a call declares itself; all others it has by what it reads. */
export type OwnRefusal = Exclude<
  ErrorCode,
  (typeof OF_ALL_CALLS)[number] | 'unsupported_media_type' | 'method_not_allowed'
>

type Described = { name: string; description: string; header?: string }

const DESCRIBED: Readonly<Record<ErrorCode, Described>> = {
  invalid_request: {
    name: 'InvalidRequest',
    description: `Something in the request is wrong: \`details\` name it. A body may be nested ${BODY_DEPTH_MAX} levels deep; a query may have ${PARAMETERS_MAX} parameters of ${shown(PARAMETER_CHARS_MAX)} characters`,
  },
  unauthorized: {
    name: 'Unauthorized',
    description: 'The key is missing or not valid',
    header: 'WWW-Authenticate',
  },
  forbidden: {
    name: 'Forbidden',
    description: 'The key may not do this, not from here, or not in this workspace',
  },
  not_found: { name: 'NotFound', description: 'There is no such thing in this workspace' },
  method_not_allowed: { name: 'MethodNotAllowed', description: 'The path has other calls: see `Allow`' },
  conflict: {
    name: 'Conflict',
    description: 'The state of things does not allow it: `message` says what to do',
    header: 'Retry-After',
  },
  gone: { name: 'Gone', description: 'The workspace is being deleted' },
  uri_too_long: {
    name: 'UriTooLong',
    description: `The path with its query has more than ${shown(URL_CHARS_MAX)} characters`,
  },
  headers_too_large: {
    name: 'HeadersTooLarge',
    description: `More than ${HEADERS_MAX} headers, one of more than ${shown(HEADER_BYTES_MAX)} bytes, or more than ${shown(HEADERS_BYTES_MAX)} together: \`details\` name it`,
  },
  payload_too_large: {
    name: 'PayloadTooLarge',
    description: `The body has too many bytes, more than ${shown(VALUES_MAX)} JSON values, more than ${shown(CONTAINERS_MAX)} lists and objects, or too many deliveries`,
  },
  unsupported_media_type: { name: 'UnsupportedMediaType', description: 'The body is not plain JSON' },
  rate_limited: {
    name: 'RateLimited',
    description: 'A limit of the workspace or the key is reached: `RateLimit` says what is left of each',
    header: 'Retry-After',
  },
  internal: { name: 'Internal', description: 'A fault of the relay; the request id helps to find it' },
  unavailable: {
    name: 'Unavailable',
    description:
      'The relay is not ready, or its store is full or does not answer. Nothing is lost: try again',
    header: 'Retry-After',
  },
}

/** The headers that answers may have, as components. */
export const headerComponents = {
  'Idempotent-Replayed': {
    description: '`true` for the first answer, given again under the same `Idempotency-Key`',
    schema: { type: 'string' },
  },
  'Retry-After': { description: 'Seconds after which to try again', schema: { type: 'integer' } },
  'WWW-Authenticate': { description: 'Always `Bearer`', schema: { type: 'string' } },
  'X-Request-Id': { description: "The request's name in the relay's log", schema: { type: 'string' } },
}

/** The refusals of a call, as references by status. */
export function refusalsOf(own: readonly OwnRefusal[], takesBody: boolean): Record<string, { $ref: string }> {
  const codes = [...OF_ALL_CALLS, ...own, ...(takesBody ? OF_BODIES : [])]
  return Object.fromEntries(codes.map(refusal))
}

/** The reference to one refusal, under its status. */
export function refusal(code: ErrorCode): [status: string, response: { $ref: string }] {
  return [String(statusOf(code)), { $ref: componentRef('responses', DESCRIBED[code].name) }]
}

/** The refusals of all calls as components; `own` are those that calls declare. */
export function refusalComponents(own: readonly OwnRefusal[], schemas: SchemaWriter): Record<string, object> {
  const schema = schemas.write(errorSchema, 'output')
  const codes = [...new Set<ErrorCode>([...OF_ALL_CALLS, ...OF_BODIES, ...own])]
  return Object.fromEntries(
    codes
      .map((code) => DESCRIBED[code])
      .map(({ name, description, header }) => [
        name,
        {
          description,
          headers: headersOf(['X-Request-Id', ...(header === undefined ? [] : [header])]),
          content: { 'application/json': { schema } },
        },
      ]),
  )
}

/** References to headers of an answer. */
export function headersOf(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: componentRef('headers', name) }]))
}

function shown(count: number): string {
  return count.toLocaleString('en-US')
}
