import * as z from 'zod'
import type { ErrorCode } from '../../model/errors.ts'
import { exampleOf, shownExample } from './examples.ts'
import { pathParameter, workspaceRef } from './operation.ts'
import { headersOf, refusal } from './refusals.ts'
import type { SchemaWriter } from './schemas.ts'

const TAG = 'Operations'
const JSON_TYPE = 'application/json'

const healthSchema = z
  .object({ status: z.literal('ok'), sweepAgeSeconds: z.int().nullable() })
  .meta({ id: 'Health' })

const keySetShape = {
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      kid: z.string().describe('Its thumbprint (RFC 7638)'),
      use: z.literal('sig'),
      alg: z.literal('EdDSA'),
    }),
  ),
}

const keySetSchema = z
  .object(keySetShape)
  .meta({ id: 'KeySet', description: 'A JSON Web Key Set (RFC 7517)' })

type OutsideCall = {
  operationId: string
  summary: string
  answer: { description: string; type: string; schema: z.ZodType }
  refusals: readonly ErrorCode[]
  /** The parameter of its path. */
  path?: string
  /** Added to the operation as it stands. */
  more?: object
}

const CALLS: Readonly<Record<string, OutsideCall>> = {
  '/healthz': {
    operationId: 'getHealth',
    summary: 'Tell whether the relay can work',
    answer: { description: 'It can', type: JSON_TYPE, schema: healthSchema },
    refusals: ['invalid_request', 'internal', 'unavailable'],
  },
  '/metrics': {
    operationId: 'getMetrics',
    summary: "Show the relay's state in Prometheus' text format",
    answer: { description: 'The metrics', type: 'text/plain', schema: z.string() },
    refusals: ['invalid_request', 'unauthorized', 'forbidden', 'internal', 'unavailable'],
    more: { security: [{ bearer: ['operator'] }], parameters: [workspaceRef] },
  },
  '/jwks/{id}': {
    operationId: 'getKeySet',
    summary: "Show a subscription's public keys, for receivers of `v1a` signatures",
    answer: { description: 'The keys that sign now', type: JSON_TYPE, schema: keySetSchema },
    refusals: ['invalid_request', 'not_found', 'internal', 'unavailable'],
    path: 'id',
  },
  '/openapi.json': {
    operationId: 'getApiDocument',
    summary: 'Show this document',
    answer: { description: 'OpenAPI 3.1', type: JSON_TYPE, schema: z.record(z.string(), z.unknown()) },
    refusals: ['invalid_request', 'internal'],
  },
}

/** Describes the calls outside `/api/v1`, whose answers have forms of their own. */
export function outsidePaths(schemas: SchemaWriter): Record<string, object> {
  return Object.fromEntries(
    Object.entries(CALLS).map(([path, call]) => [path, { get: describe(call, schemas) }]),
  )
}

function describe(
  { operationId, summary, answer, refusals, path, more }: OutsideCall,
  schemas: SchemaWriter,
): object {
  const { description, type, schema } = answer
  const example = exampleOf(operationId)
  const content = { [type]: { schema: schemas.write(schema, 'output'), ...shownExample(example.answer) } }
  return {
    operationId,
    summary,
    tags: [TAG],
    security: [],
    ...(path !== undefined && { parameters: [pathParameter(path, example)] }),
    ...more,
    responses: {
      200: { description, headers: headersOf(['X-Request-Id']), content },
      ...Object.fromEntries(refusals.map(refusal)),
    },
  }
}
