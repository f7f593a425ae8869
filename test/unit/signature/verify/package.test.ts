/// <reference types="node" />
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackage, ROOT } from '../../../support/built-package.ts'
import { headersOf } from './oracle.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-verify-package-'))
const sourceDir = path.join(folder, 'source')
const consumerDir = path.join(folder, 'consumer')
const installedDir = path.join(consumerDir, 'node_modules/posthorn')
const manifest = (dir: string) => JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'))

/** The machine's own Node, which may be older than the one that builds: what receivers have. */
const receiversNode = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .map((each) => path.join(each, 'node'))
  .find((each) => !each.includes('node_modules') && existsSync(each))
const node = receiversNode ?? process.execPath

// As a receiver gets it: packed, and installed from the tarball.
beforeAll(() => {
  mkdirSync(path.join(sourceDir, 'dist/verify'), { recursive: true })
  writeFileSync(path.join(sourceDir, 'dist/verify/earlier.js'), '')
  buildPackage(sourceDir)
  npm(sourceDir, ['pack', '--ignore-scripts', '--pack-destination', folder])
  mkdirSync(consumerDir)
  writeFileSync(path.join(consumerDir, 'package.json'), '{"private":true}')
  npm(consumerDir, ['install', '--offline', `../posthorn-${manifest(sourceDir).version}.tgz`])
  for (const name of ['@types', '@cloudflare', 'undici-types']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(consumerDir, 'node_modules', name))
  }
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs npm as from a terminal: without the settings that an npm around these tests hands down. */
function npm(cwd: string, args: string[]): void {
  const handedDown = Object.keys(process.env).filter((name) => /^npm_/i.test(name))
  const env = { ...process.env, ...Object.fromEntries(handedDown.map((name) => [name, undefined])) }
  const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier']
  const cache = ['--cache', path.join(folder, 'cache')]
  execFileSync('npm', [...args, ...quiet, ...cache], { cwd, env, stdio: 'pipe' })
}

describe('the package', () => {
  test('holds the built modules, their types, README and licence, and nothing of an earlier build', () => {
    const files = readdirSync(installedDir, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => path.relative(installedDir, path.join(each.parentPath, each.name)))
    const types = files.filter((file) => /^dist\/.*\.d\.c?ts$/.test(file) && !/\bindex\.d\./.test(file))
    expect(types.filter((file) => file.startsWith('dist/verify/')).length).toBeGreaterThan(2)
    const modules = ['', 'openapi/', 'outbox/', 'testing/', 'verify/']
    const endings = ['cjs', 'd.cts', 'd.ts', 'js']
    const built = modules.flatMap((module) => endings.map((ending) => `dist/${module}index.${ending}`))
    const others = ['LICENSE', 'README.md', 'dist/openapi/openapi.json', 'package.json']
    expect(files.filter((file) => !types.includes(file)).sort()).toEqual([...built, ...others].sort())
  })

  test('depends on nothing, and has the version and licence of the relay', () => {
    const installed = manifest(installedDir)
    expect(Object.keys(installed).filter((key) => /dependencies/i.test(key))).toEqual([])
    const { version, license, engines } = manifest(ROOT)
    expect(installed).toMatchObject({ version, license, engines })
    const licence = (dir: string) => readFileSync(path.join(dir, 'LICENSE'), 'utf8')
    expect(licence(installedDir)).toBe(licence(ROOT))
  })

  test.each(['js', 'cjs'])('imports nothing in index.%s, and names nothing of Node', (ending) => {
    const text = readFileSync(path.join(installedDir, `dist/verify/index.${ending}`), 'utf8')
    expect(text).not.toMatch(/^\s*import\b|\bimport\(|\brequire\(|\bprocess\b|\bBuffer\b/m)
  })
})

function run(file: string, text: string, input: unknown): unknown {
  writeFileSync(path.join(consumerDir, file), text)
  const output = execFileSync(node, [file], {
    cwd: consumerDir,
    env: { ...process.env, INPUT: JSON.stringify(input), NODE_NO_WARNINGS: '1' },
  })
  return JSON.parse(output.toString())
}

describe.each([
  ['mjs', "import { verify } from 'posthorn/verify'"],
  ['cjs', "const { verify } = require('posthorn/verify')"],
])('a receiver in .%s, in the Node that receivers have', (ending, load) => {
  test('verifies', () => {
    const text = `${load}
      const { genuine, changed } = JSON.parse(process.env.INPUT)
      Promise.all([genuine, changed].map((each) => verify(each))).then((results) => {
        console.log(JSON.stringify([process.version, ...results]))
      })`
    const body = '{"id":"evt_1","total":2567.50}'
    const genuine = { body, secret: 'your-secret-key', headers: {}, now: 1_700_000_000_000 }
    genuine.headers = headersOf('standard', { ...genuine, id: 'evt_1', timestamp: 1_700_000_000 })
    const input = { genuine, changed: { ...genuine, body: `${body} ` } }
    const [version, ...results] = run(`receiver.${ending}`, text, input) as [string, ...unknown[]]
    expect(Number.parseInt(version.slice(1), 10)).toBeGreaterThanOrEqual(20)
    expect(results).toMatchObject([
      { ok: true, id: 'evt_1' },
      { ok: false, reason: 'no_matching_signature' },
    ])
  })

  test('has ed25519', () => {
    const text = `${load}
      verify(JSON.parse(process.env.INPUT)).then((result) => console.log(JSON.stringify(result)))`
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature':
        'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    }
    const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
    const input = { body: '{"test": 2432232314}', headers, publicKey, now: 1_614_265_330_000 }
    expect(run(`ed25519.${ending}`, text, input)).toMatchObject({ ok: true, matchedPublicKey: 0 })
  })
})

const TSC = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
)
const CONSUMER = `
import { type StandardEvent, sign, type VerifyResult, verify, verifyOrThrow, verifyRequest, verifySignature } from 'posthorn/verify'
export async function receive(request: Request, headers: Record<string, string | string[] | undefined>): Promise<string | null> {
  const result: VerifyResult = await verify({ body: new Uint8Array(), headers, secret: ['a', 'b'], profile: 'core' })
  if (!result.ok) return result.reason === 'missing_header' ? result.message : null
  const { text, ...rest } = await verifyRequest(request, { publicKey: 'whpk_' })
  if (rest.ok) return rest.id
  const custom = { signature: { header: 'X-Acme' } }
  const { event } = await verifyOrThrow({ body: text, headers: request.headers, secret: '', profile: 'custom', custom })
  return (await verifySignature(text, request.headers.get('x-signature'), 'secret')) ? String(event) : null
}
type Invoice = { object: { total: number } }
export async function totals(body: string): Promise<number[]> {
  const headers: Record<string, string> = await sign({ body, secret: ['new', 'old'], profile: 'standard' })
  const result = await verify<Invoice>({ body, headers, secret: 'new' })
  if (!result.ok || result.event === undefined) return []
  const all: readonly StandardEvent<Invoice>[] = result.event.batch ? result.event.events : [result.event]
  return [...all, ...result.events].map((event) => event.data.object.total)
}
export async function others(body: string, headers: Headers, profile: 'core' | 'any'): Promise<unknown[]> {
  const core = await verifyOrThrow<{ title: string }, 'core'>({ body, headers, secret: 's', profile: 'core' })
  const cloud = await verifyOrThrow({ body, headers, secret: 's', profile: 'cloudevents' })
  const plain = await verifyOrThrow({ body, headers, secret: 's', profile: 'marko' })
  const any: unknown = (await verifyOrThrow({ body, headers, secret: 's', profile })).event
  const [post] = core.events
  return [post?.data.object.title, cloud.events[0]?.source, plain.events[0]?.event, any]
}
// @ts-expect-error: data is unknown until its type is given
export const guessed = verifyOrThrow({ body: '', headers: {}, secret: 's' }).then(({ events }) => events[0].data.total)
// @ts-expect-error: an unset variable is told before it runs
export const unset = verify({ body: '', headers: {}, secret: undefined })
`
const BUNDLED = ['--module', 'esnext', '--moduleResolution', 'bundler']

// node16 lets no CommonJS require ESM, so it finds types of ESM where those of CommonJS belong.
test.each([
  ['in Node', 'mts', ['--types', 'node', '--lib', 'es2022', '--module', 'nodenext']],
  ['in Node, as CommonJS', 'cts', ['--types', 'node', '--lib', 'es2022', '--module', 'node16']],
  ['in browsers', 'mts', ['--lib', 'es2022,dom', ...BUNDLED, '--types', '']],
  ['in Workers', 'mts', ['--types', '@cloudflare/workers-types', '--lib', 'es2022', ...BUNDLED]],
])(
  'its types serve a strict consumer %s',
  (_, ending, options) => {
    const file = path.join(consumerDir, `typed.${ending}`)
    writeFileSync(file, CONSUMER)
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
    // No skipLibCheck: the package's own declarations are what is checked.
    let output = ''
    try {
      execFileSync(process.execPath, [TSC, '--ignoreConfig', ...strict, ...options, file], {
        cwd: consumerDir,
      })
    } catch (error) {
      output = String((error as { stdout?: Buffer }).stdout)
    }
    expect(output).toBe('')
  },
  30_000,
)
