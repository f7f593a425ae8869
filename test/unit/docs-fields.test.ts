import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { describeApi } from '../../src/api/openapi/document.ts'
import { routes } from '../../src/api/v1/routes.ts'

type Schema = { $ref?: string; properties?: Record<string, object>; anyOf?: Schema[] }
type Operation = { operationId: string; requestBody?: { content: Record<string, { schema: Schema }> } }
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const ROOT = path.resolve(import.meta.dirname, '../..')
const document = describeApi(routes) as Document

/** The fields of a call's body, those of its first form where it has several. */
function fieldsOf(operationId: string): string[] {
  const operations = Object.values(document.paths).flatMap((each) => Object.values(each))
  const body = operations.find((operation) => operation.operationId === operationId)?.requestBody
  let schema = body?.content['application/json']?.schema ?? {}
  while (schema.$ref !== undefined || schema.anyOf !== undefined) {
    const name = schema.$ref?.split('/').at(-1) ?? ''
    schema = schema.anyOf?.[0] ?? document.components.schemas[name] ?? {}
  }
  return Object.keys(schema.properties ?? {})
}

/** The names in the first column of the first table of fields below a heading, and all that stands in code there. */
function tableOf(page: string, heading: string): { first: string[]; all: string[] } {
  const text = readFileSync(path.join(ROOT, page), 'utf8')
  const section = text.split(new RegExp(`^#+ ${heading}$`, 'm'))[1] ?? ''
  const rows = (/^\| field \| \|\n(?:\|.*\n)+/m.exec(section)?.[0] ?? '').split('\n')
  const inCode = (part: string) => [...part.matchAll(/`([A-Za-z_]+)`/g)].map(([, name = '']) => name)
  return { first: rows.flatMap((row) => inCode(row.split(' | ')[0] ?? '')), all: rows.flatMap(inCode) }
}

test.each([
  ['docs/publish.md', 'By HTTP', 'publishEvents'],
  ['docs/subscribe.md', 'Create', 'createSubscription'],
  ['docs/subscribe.md', 'Rotate the secret', 'rotateSecret'],
  ['docs/retries.md', 'Replays', 'replaySubscription'],
] as const)('%s, "%s", explains the fields that %s takes, and no other', (page, heading, operationId) => {
  const fields = fieldsOf(operationId)
  const { first, all } = tableOf(page, heading)
  expect(fields.length).toBeGreaterThan(1)
  expect(fields.filter((name) => !all.includes(name))).toEqual([])
  expect(first.filter((name) => !fields.includes(name))).toEqual([])
})
