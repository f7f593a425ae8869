import { describe, expect, test } from 'vitest'
import { GROUND_ROOMS, mayImport, ROOT_FILES, roomOf } from '../support/structure/rooms.ts'
import {
  codeOf,
  foldersIn,
  packageSources,
  type Source,
  sourcesIn,
  textOf,
} from '../support/structure/sources.ts'

const FILES_MAX = 15
const LINES_MAX = 300

/** SQL may take these values from elsewhere, each with its reason. */
const SQL_VALUES: Record<string, string> = {
  'access/key.ts': 'the number of keys that one statement checks as it writes',
  'catalogue/catalogue.ts': 'limits that one statement checks as it writes',
  'destination/rules.ts': 'the names in a column of JSON',
  'limits/limits.ts': 'the shape of a part of a column of JSON',
  'history/counters.ts': 'the histogram has as many columns as buckets',
  'outcome/retry-policy.ts': 'the due time that stands for blocked',
  'pacing/settings.ts': 'words for the numbers of a pacing level',
  'receiver/breaker.ts': 'the faults that open a breaker, which claims count as well',
  'replay/replay.ts': 'words for the numbers of a state, and the shape of a stored scope',
  'subscription/row.ts': 'the shape of a subscription’s row',
  'workspace/deletion.ts': 'the shape of a column of JSON, and what is thrown at a workspace that has one',
  'workspace/settings.ts': 'the shape of a column of JSON',
}

/** SQL stands in other files only here, each with its reason. */
const SQL_ELSEWHERE: Record<string, string> = {
  'store/capacity.ts': 'asks for the size of the database, and reads no row',
}

/** The environment is named in other files only here, each with its reason. */
const ENV_ELSEWHERE: Record<string, string> = {
  'api/context.ts': 'the framework’s type of a request’s context has the bindings in it',
  'api/guard.ts': 'finds the relay by the bindings of a request',
  'limits/limiter/object.ts': 'a Durable Object is constructed with the bindings',
  'listen/session/object.ts': 'a Durable Object is constructed with the bindings',
  'pacing/pacer/object.ts': 'a Durable Object is constructed with the bindings',
  'stream/hub/object.ts': 'a Durable Object is constructed with the bindings',
}

/** The platform’s modules are imported only here. */
const PLATFORM_FILES = [
  'index.ts',
  'limits/limiter/object.ts',
  'listen/session/object.ts',
  'pacing/pacer/object.ts',
  'stream/hub/object.ts',
]

const sources = sourcesIn('src')
const isSql = (name: string) => name.endsWith('.sql.ts')
const isPackage = (target: string) => !target.endsWith('.ts')

/** `file → import` for every import that a check refuses. */
function refused(isFine: (source: Source, target: string, isType: boolean) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter(({ target, isType }) => !isFine(source, target, isType))
      .map(({ target }) => `${source.name} → ${target}`),
  )
}

test('the files and their imports are found', () => {
  expect(sources.length).toBeGreaterThan(200)
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(1000)
})

describe('an import of src', () => {
  test('goes down, or stays in its room', () => {
    expect(refused(({ name }, target) => isPackage(target) || mayImport(name, target))).toEqual([])
  })

  test('of SQL is of SQL, rows or what the ground rooms name; of anything else it is a type', () => {
    const isFine = ({ name }: Source, target: string, isType: boolean) =>
      !isSql(name) ||
      isType ||
      isPackage(target) ||
      isSql(target) ||
      GROUND_ROOMS.includes(roomOf(target) ?? '') ||
      target in SQL_VALUES
    expect(refused(isFine)).toEqual([])
  })

  test('is of HTTP’s framework only in api', () => {
    const isHttp = (target: string) => /^(hono|@hono)(\/|$)/.test(target)
    expect(refused(({ name }, target) => !isHttp(target) || roomOf(name) === 'api')).toEqual([])
  })

  test('is of the platform only in the root and the Durable Object', () => {
    expect(
      refused(({ name }, target) => !/^(cloudflare|node):/.test(target) || PLATFORM_FILES.includes(name)),
    ).toEqual([])
  })
})

describe('a file of src', () => {
  test('that is no *.sql.ts has no SQL', () => {
    const found = sources.filter(
      ({ name, text }) => !isSql(name) && /\.prepare\(\s*['`"A-Z]|\bsql\.exec\(/.test(codeOf(text)),
    )
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(SQL_ELSEWHERE))
  })

  test('imports zod as a namespace, whose object has the messages of all languages, a quarter of the Worker', () => {
    expect(
      sources.filter(({ text }) => /^import (type )?\{.*from 'zod'$/m.test(text)).map(({ name }) => name),
    ).toEqual([])
  })

  test('that is not of the root does not name the environment', () => {
    const found = sources.filter(
      ({ name, text }) => !ROOT_FILES.includes(name) && /\bEnv\b/.test(codeOf(text)),
    )
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(ENV_ELSEWHERE))
  })

  test(`has at most ${LINES_MAX} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > LINES_MAX)
    expect(long.map(({ name }) => name)).toEqual([])
  })
})

test('no exception to what SQL may import outlives its use', () => {
  const used = sources.filter(({ name }) => isSql(name)).flatMap(({ imports }) => imports)
  const isUsed = (file: string) => used.some(({ target, isType }) => target === file && !isType)
  expect(Object.keys(SQL_VALUES).filter((file) => !isUsed(file))).toEqual([])
})

describe('a folder', () => {
  const roots = ['src', ...packageSources('packages'), ...packageSources('apps')]

  test.each(roots)(`of %s has at most ${FILES_MAX} files`, (root) => {
    const full = foldersIn(root).filter(
      ({ files }) => files.filter((file) => /\.tsx?$/.test(file)).length > FILES_MAX,
    )
    expect(full.map(({ name }) => name)).toEqual([])
  })

  test('of src is on the map, and the map names no other', () => {
    const named = [...textOf('src/README.md').matchAll(/`(?:src\/)?([a-z0-9/-]+)\/`/g)].map(
      ([, name]) => name,
    )
    const folders = foldersIn('src').map(({ name }) => name)
    expect([...new Set(named)].sort()).toEqual(folders.filter((name) => name !== '').sort())
  })
})
