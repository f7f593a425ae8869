import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

type Entry = { license?: string; dev?: boolean; devOptional?: boolean; link?: boolean }
type Manifest = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> }

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> }

/** Licences that ask for no more than to be named. */
const PERMISSIVE = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']

/** Packages that are installed for running the relay, and not only for building and testing it. */
const locked = Object.entries(packages)
  .filter(([at, { dev, devOptional, link }]) => at.includes('node_modules/') && !dev && !devOptional && !link)
  .map(([at, { license = 'none' }]): [string, string] => [at.split('node_modules/').at(-1) ?? at, license])

test('the page on dependencies lists every package of production with its licence, and no other', () => {
  const [, section = ''] = read('docs/dependencies.md').split('### Licences')
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)`[^|]*\| ([^|]+) \|$/gm)]
  const listed = rows.map(([, name = '', licence = '']): [string, string] => [name, licence.trim()])
  expect(locked.length).toBeGreaterThan(5)
  expect(listed.toSorted()).toEqual(locked.toSorted())
})

test('every package of production has a permissive licence', () => {
  expect(locked.filter(([, licence]) => !PERMISSIVE.includes(licence))).toEqual([])
})

test.each(['package.json', 'packages/client/package.json', 'packages/cli/package.json'])(
  '%s names exact versions only',
  (file) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file)) as Manifest
    const all = Object.entries({ ...dependencies, ...devDependencies })
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  },
)
