import type * as z from 'zod'
import { KEY_HEADERS, keepsAnswers, type OtherAnswer, type RouteDefinition } from '../define-route.ts'
import { describeAliases } from '../request/aliases.ts'
import { headersOf, refusalsOf } from './refusals.ts'
import { componentRef, type JsonSchema, type SchemaWriter } from './schemas.ts'

/** The parameter that names the workspace, which every call reads. */
export const WORKSPACE_PARAMETER = {
  name: 'X-Company-Id',
  in: 'header',
  description: 'The workspace to act in; `default` where it is left out',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' },
}
export const workspaceRef = { $ref: componentRef('parameters', 'Workspace') }

/** Describes a call as an operation of the document. */
export function describeOperation(definition: RouteDefinition, schemas: SchemaWriter): object {
  const { operationId, summary, tag, scope, path, refusals, body, sentBody, query, naming } = definition
  const isKept = keepsAnswers(definition)
  const headers = isKept ? KEY_HEADERS : definition.headers
  const requestBody = describeBody(definition, schemas)
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map((match) => pathParameter(match[1] ?? '')),
    ...(query === undefined ? [] : parametersOf('query', query, schemas)),
    ...(headers === undefined ? [] : parametersOf('header', headers, schemas)),
    workspaceRef,
  ]
  return {
    operationId,
    summary,
    ...(naming && { description: describeAliases(naming.aliases) }),
    tags: [tag],
    security: [{ bearer: scope === 'any' ? [] : [scope] }],
    parameters,
    ...(requestBody !== null && { requestBody }),
    responses: {
      ...describeAnswers(definition, schemas),
      ...refusalsOf(isKept ? [...refusals, 'conflict'] : refusals, (body ?? sentBody) !== undefined),
    },
  }
}

function pathParameter(name: string) {
  return { name, in: 'path', required: true, schema: { type: 'string' } }
}

function parametersOf(place: 'query' | 'header', object: z.ZodObject, schemas: SchemaWriter) {
  const { properties, required = [] } = schemas.write(object, 'input')
  return Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: place,
      ...((required as string[]).includes(name) && { required: true }),
      ...(description !== undefined && { description }),
      schema,
    }),
  )
}

function describeBody({ body, sentBody, bodyOptional }: RouteDefinition, schemas: SchemaWriter) {
  const schema = body ?? sentBody
  if (schema === undefined) return null
  const content = { 'application/json': { schema: schemas.write(schema, 'input') } }
  return { required: bodyOptional !== true, content }
}

function describeAnswers(definition: RouteDefinition, schemas: SchemaWriter): Record<string, object> {
  const { status = 200, answer, answerDescription: description = 'Success', otherAnswers = {} } = definition
  const others = Object.entries(otherAnswers).flatMap(([other, given]) =>
    given === undefined ? [] : [[other, given] as const],
  )
  const all: (readonly [string, OtherAnswer])[] = [[String(status), { answer, description }], ...others]
  return Object.fromEntries(
    all.map(([code, each]) => [code, describeAnswer({ ...definition, ...each }, each.description, schemas)]),
  )
}

function describeAnswer(
  definition: Pick<
    RouteDefinition,
    'answer' | 'answerType' | 'exportType' | 'paged' | 'method' | 'idempotency'
  >,
  description: string,
  schemas: SchemaWriter,
): object {
  const { answer, answerType, exportType, paged } = definition
  const data = schemas.write(answer, 'output')
  const headers = headersOf(['X-Request-Id', ...(keepsAnswers(definition) ? ['Idempotent-Replayed'] : [])])
  if (answerType !== undefined) return { description, headers, content: { [answerType]: { schema: data } } }
  const properties = {
    success: { type: 'boolean', const: true },
    data,
    ...(paged && { pagination: { $ref: componentRef('schemas', 'Pagination') } }),
  }
  const schema = { type: 'object', properties, required: Object.keys(properties) }
  const exported = exportType === undefined ? {} : { [exportType]: { schema: { type: 'string' } } }
  return { description, headers, content: { 'application/json': { schema }, ...exported } }
}
