import type * as z from 'zod'
import { KEY_HEADERS, keepsAnswers, type OtherAnswer, type RouteDefinition } from '../define-route.ts'
import { describeAliases } from '../request/aliases.ts'
import { type CallExample, exampleOf, shownExample } from './examples.ts'
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
  const example = exampleOf(operationId)
  const requestBody = describeBody(definition, example, schemas)
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map((match) => pathParameter(match[1] ?? '', example)),
    ...(query === undefined ? [] : parametersOf('query', query, schemas)).map((parameter) => ({
      ...parameter,
      ...shownExample(readQuery(example.query?.[parameter.name], parameter.schema)),
    })),
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
      ...describeAnswers(definition, example, schemas),
      ...refusalsOf(isKept ? [...refusals, 'conflict'] : refusals, (body ?? sentBody) !== undefined),
    },
  }
}

/** A parameter that stands in the path. */
export function pathParameter(name: string, { path }: CallExample) {
  return { name, in: 'path', required: true, schema: { type: 'string' }, ...shownExample(path?.[name]) }
}

/** A query is text; its example is of the type of its schema. */
function readQuery(text: string | undefined, { type }: JsonSchema): unknown {
  const isText = text === undefined || !['integer', 'number', 'boolean'].includes(String(type))
  return isText ? text : (JSON.parse(text) as unknown)
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

function describeBody(
  { body, sentBody, bodyOptional }: RouteDefinition,
  example: CallExample,
  schemas: SchemaWriter,
) {
  const schema = body ?? sentBody
  if (schema === undefined) return null
  const shown = shownExample(example.body)
  const content = { 'application/json': { schema: schemas.write(schema, 'input'), ...shown } }
  return { required: bodyOptional !== true, content }
}

function describeAnswers(
  definition: RouteDefinition,
  example: CallExample,
  schemas: SchemaWriter,
): Record<string, object> {
  const { status = 200, answer, answerDescription: description = 'Success', otherAnswers = {} } = definition
  const others = Object.entries(otherAnswers).flatMap(([other, given]) =>
    given === undefined ? [] : [[other, given] as const],
  )
  const all: (readonly [string, OtherAnswer])[] = [[String(status), { answer, description }], ...others]
  return Object.fromEntries(
    all.map(([code, each]) => {
      const shown = shownExample(code === String(example.status ?? status) ? example.answer : undefined)
      return [code, describeAnswer({ ...definition, ...each, ...shown }, each.description, schemas)]
    }),
  )
}

function describeAnswer(
  definition: Pick<
    RouteDefinition,
    'answer' | 'answerType' | 'exportType' | 'paged' | 'method' | 'idempotency'
  > & { example?: unknown },
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
  const content = { 'application/json': { schema, ...shownExample(definition.example) }, ...exported }
  return { description, headers, content }
}
