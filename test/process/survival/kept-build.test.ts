import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { keep } from '../../../scripts/local/build/keep.ts'
import { makeBuild } from '../../../scripts/local/build/make-build.ts'
import { keyOfSources } from '../../../scripts/local/build/sources-key.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-build-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the key of sources', () => {
  const root = path.join(folder, 'sources')
  const write = (name: string, text: string) => writeFileSync(path.join(root, name), text)
  const key = () => keyOfSources(root, ['src', 'one.toml'])

  it('is another one after each change of what is built, and the same when nothing has changed', () => {
    mkdirSync(path.join(root, 'src/inner'), { recursive: true })
    write('one.toml', 'a = 1')
    write('src/index.ts', 'one')
    write('src/inner/index.ts', 'two')
    const keys = [key()]
    const changes = [
      () => write('src/inner/index.ts', 'three'),
      () => write('src/new.ts', ''),
      () => write('one.toml', 'a = 2'),
      () => rmSync(path.join(root, 'src/new.ts')),
    ]
    for (const change of changes) {
      change()
      keys.push(key())
      utimesSync(path.join(root, 'one.toml'), 1, 1)
      expect(key()).toBe(keys.at(-1))
    }
    expect(new Set(keys).size).toBe(keys.length)
  })
})

describe('what is kept', () => {
  const places = { kept: path.join(folder, 'kept'), ownFolder: path.join(folder, 'own') }
  const build = async (draft: string) => writeFileSync(path.join(draft, 'index.js'), '')

  it('is made once, also by several at a time, and is whole wherever it is seen', async () => {
    let made = 0
    const slowly = async (draft: string) => {
      made++
      await new Promise((resolve) => setTimeout(resolve, 20))
      await build(draft)
    }
    const folders = await Promise.all([1, 2, 3].map(() => keep(places, 'one', slowly)))
    expect(new Set(folders)).toEqual(new Set([path.join(places.kept, 'one')]))
    expect(readdirSync(places.kept)).toEqual(['one'])
    expect(readdirSync(path.join(places.kept, 'one'))).toEqual(['index.js'])
    made = 0
    await keep(places, 'one', slowly)
    expect(made).toBe(0)
  })

  it('is nothing of a build that fails', async () => {
    const fails = () => Promise.reject(new Error('it does not build'))
    await expect(keep(places, 'two', fails)).rejects.toThrow('it does not build')
    expect(readdirSync(places.kept)).toEqual(['one'])
  })

  it('goes after a day, when another one is made', async () => {
    const dayAgo = Date.now() / 1000 - 90_000
    utimesSync(path.join(places.kept, 'one'), dayAgo, dayAgo)
    await keep(places, 'three', build)
    expect(readdirSync(places.kept)).toEqual(['three'])
  })

  it('is made in a folder of one’s own where packages cannot be written to', async () => {
    writeFileSync(path.join(folder, 'file'), '')
    const own = await keep({ ...places, kept: path.join(folder, 'file') }, 'one', build)
    expect(own).toBe(places.ownFolder)
    expect(existsSync(path.join(own, 'index.js'))).toBe(true)
  })
})

it('is all that wrangler says of the Worker: nothing of it is lost as JSON', async () => {
  const build = await makeBuild(path.join(folder, 'index.js'))
  expect(JSON.parse(JSON.stringify(build))).toEqual(build)
  expect(build.worker).toMatchObject({ name: 'posthorn', d1Databases: { DB: expect.anything() } })
  expect(build.migrations.length).toBeGreaterThan(0)
})
