import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

/** Calls of a relay stand on these pages and are not run as they stand, each with its reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'docs/audit-log.md': 'its answers are of other workspaces and other days',
}

test('every page with calls of a relay has them run by a test, or says why not', () => {
  const pages = ['README.md', ...readdirSync(path.join(ROOT, 'docs')).map((name) => `docs/${name}`)]
  const withCalls = pages.filter((page) => page.endsWith('.md') && /^```sh\n[^`]*curl -s/m.test(read(page)))
  const runBy = read('test/process/docs/doc-commands.test.ts')
  const run = withCalls.filter((page) => runBy.includes(`'${page}'`))
  expect([...run, ...Object.keys(NOT_RUN)].sort()).toEqual(withCalls.sort())
})

test('the commands that deploy.md names are those that the programs have', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const pages = ['README.md', 'docs/deploy.md', 'docs/development.md', 'docs/operations.md', 'docs/verify.md']
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name),
  )
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
  const options = [...read('docs/deploy.md').matchAll(/npm run deploy -- --([a-z-]+)/g)].map(
    ([, name = '']) => name,
  )
  const known = read('scripts/tasks/deploy.ts')
  expect(options.filter((name) => !new RegExp(`^\\s+'?${name}'?: \\{ type:`, 'm').test(known))).toEqual([])
})

test('receive.md runs each receiver by the command that its own first lines name', () => {
  const rows = [
    ...read('docs/receive.md').matchAll(/^\| \[\S+\]\(\.\.\/(\S+)\) \| .+ \| `(SECRET=.+)` \|$/gm),
  ]
  expect(rows.length).toBeGreaterThanOrEqual(6)
  for (const [, file = '', command = ''] of rows)
    expect(read(file).replaceAll('SECRET=...', 'SECRET=…'), file).toContain(command)
})
