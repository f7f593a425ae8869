import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { beforeAll, expect, test } from 'vitest'
import { isFullCount } from '../../support/full-count.ts'

type Operation = { operationId: string }
type Document = { servers: { url: string }[]; paths: Record<string, Record<string, Operation>> }

const root = path.join(import.meta.dirname, '../../..')
const folder = path.join(root, 'test/generated-clients')
const generated = path.join(folder, 'generated')
const run = promisify(execFile)
let document: Document

/** Each differs from the recommended rules for a reason. */
const RULES = {
  // A relay names the address at which it was asked; here that is this machine.
  'no-server-example.com': 'off',
  // Calls of `Operations` that say nothing of a workspace are for everybody.
  'security-defined': 'error',
  'no-invalid-media-type-examples': 'error',
  'no-invalid-parameter-examples': 'error',
} as const

/** Runs a tool of `node_modules/.bin`; what it says is the reason where it fails. */
async function tool(bin: string, args: readonly string[]): Promise<string> {
  const [command, ...rest] = [path.join(bin), ...args]
  const ended = await run(command, rest, { cwd: folder }).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  return 'message' in ended ? `${ended.stdout}${ended.stderr}` : ''
}

const own = (name: string) => path.join(folder, 'node_modules/.bin', name)
const shared = (name: string) => path.join(root, 'node_modules/.bin', name)
const input = path.join(generated, 'openapi.json')

beforeAll(async () => {
  // By names that are made here: the Worker's own types are not those of Node, which this file is checked with.
  const source = (file: string) => import(path.join(root, 'src/api', file))
  const { describeApi } = (await source('openapi/document.ts')) as { describeApi(routes: unknown): Document }
  const { routes } = (await source('v1/routes.ts')) as { routes: unknown }
  document = { ...describeApi(routes), servers: [{ url: 'http://127.0.0.1:8787' }] }
  await rm(generated, { recursive: true, force: true })
  await mkdir(generated, { recursive: true })
  await writeFile(input, JSON.stringify(document))
})

test('the document is valid OpenAPI 3.1', async () => {
  expect(await tool(shared('validate-api'), [input])).toBe('')
})

test('the document keeps to the rules of Redocly, and its examples to their schemas', async () => {
  const config = await createConfig({ extends: ['recommended-strict'], rules: RULES })
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: input, config })
  expect(
    problems.map(({ ruleId, message, location }) => `${location[0]?.pointer} ${ruleId}: ${message}`),
  ).toEqual([])
})

// Generators and a compiler take longer than all else here.
if (isFullCount)
  test('clients that are generated compile under --strict, with a call of every operation', async () => {
    const made = await Promise.all([
      tool(own('openapi-typescript'), [input, '-o', path.join(generated, 'openapi-typescript.ts')]),
      tool(own('openapi-ts'), ['-i', input, '-o', path.join(generated, 'hey-api'), '--silent']),
    ])
    expect(made).toEqual(['', ''])
    expect(await tool(shared('tsc'), ['-p', folder])).toBe('')
  })

test('each operation is called under its path and its name', async () => {
  const byPath = await readFile(path.join(folder, 'openapi-fetch.ts'), 'utf8')
  const byName = await readFile(path.join(folder, 'hey-api.ts'), 'utf8')
  for (const [at, operations] of Object.entries(document.paths)) {
    for (const [method, { operationId }] of Object.entries(operations)) {
      const call = new RegExp(`client\\.${method.toUpperCase()}\\(\\s*'${at.replace(/[.{}]/g, '\\$&')}'`)
      expect(byPath, `openapi-fetch.ts calls ${method} ${at}`).toMatch(call)
      expect(byName, `hey-api.ts calls ${operationId}`).toContain(`api.${operationId}(`)
    }
  }
})
