/// <reference types="node" />
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headersOf } from './oracle.ts'

const ROOT = path.resolve(import.meta.dirname, '../../../..')
const MODULES = path.join(ROOT, 'node_modules')
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-verify-package-'))
const packageDir = path.join(folder, 'node_modules/posthorn')

/** The machine's own Node, which may be older than the one that builds: what receivers have. */
const receiversNode = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .map((each) => path.join(each, 'node'))
  .find((each) => !each.includes('node_modules') && existsSync(each))
const node = receiversNode ?? process.execPath

beforeAll(() => {
  execFileSync(process.execPath, [
    path.join(ROOT, 'scripts/build/verify.ts'),
    path.join(packageDir, 'dist/verify'),
  ])
  const exports = { './verify': { types: './dist/verify/index.d.ts', default: './dist/verify/index.js' } }
  writeFileSync(
    path.join(packageDir, 'package.json'),
    JSON.stringify({ name: 'posthorn', type: 'module', exports }),
  )
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(file: string, text: string, input: unknown): unknown {
  writeFileSync(path.join(folder, file), text)
  const output = execFileSync(node, [file], {
    cwd: folder,
    env: { ...process.env, INPUT: JSON.stringify(input), NODE_NO_WARNINGS: '1' },
  })
  return JSON.parse(output.toString())
}

test('the built module verifies in the Node that receivers have', () => {
  const text = `
    import { verify } from 'posthorn/verify'
    const { genuine, changed } = JSON.parse(process.env.INPUT)
    console.log(JSON.stringify([process.version, await verify(genuine), await verify(changed)]))`
  const body = '{"id":"evt_1","total":2567.50}'
  const genuine = { body, secret: 'your-secret-key', headers: {}, now: 1_700_000_000_000 }
  genuine.headers = headersOf('standard', { ...genuine, id: 'evt_1', timestamp: 1_700_000_000 })
  const [version, ...results] = run('receiver.mjs', text, {
    genuine,
    changed: { ...genuine, body: `${body} ` },
  }) as [string, ...unknown[]]
  expect(Number.parseInt(version.slice(1), 10)).toBeGreaterThanOrEqual(20)
  expect(results).toMatchObject([
    { ok: true, id: 'evt_1' },
    { ok: false, reason: 'no_matching_signature' },
  ])
})

test('ed25519 is there in that Node', () => {
  const text = `
    import { verify } from 'posthorn/verify'
    console.log(JSON.stringify(await verify(JSON.parse(process.env.INPUT))))`
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature':
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  }
  const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
  const input = { body: '{"test": 2432232314}', headers, publicKey, now: 1_614_265_330_000 }
  expect(run('ed25519.mjs', text, input)).toMatchObject({ ok: true, matchedPublicKey: 0 })
})

test('the built module imports nothing and names nothing of Node', () => {
  const text = readFileSync(path.join(packageDir, 'dist/verify/index.js'), 'utf8')
  expect(text).not.toMatch(/^\s*import\b|\bimport\(|\brequire\(|\bprocess\b|\bBuffer\b/m)
})

const TSC = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
)
const CONSUMER = `
import { type VerifyResult, verify, verifyOrThrow, verifyRequest, verifySignature } from 'posthorn/verify'
export async function receive(request: Request, headers: Record<string, string | string[] | undefined>): Promise<string | null> {
  const result: VerifyResult = await verify({ body: new Uint8Array(), headers, secret: ['a', 'b'], profile: 'core' })
  if (!result.ok) return result.reason === 'missing_header' ? result.message : null
  const { text, ...rest } = await verifyRequest(request, { publicKey: 'whpk_' })
  if (rest.ok) return rest.id
  const custom = { signature: { header: 'X-Acme' } }
  const { event } = await verifyOrThrow({ body: text, headers: request.headers, secret: '', profile: 'custom', custom })
  return (await verifySignature(text, request.headers.get('x-signature'), 'secret')) ? String(event) : null
}
// @ts-expect-error: an unset variable is told before it runs
await verify({ body: '', headers: {}, secret: undefined })
`

test.each([
  ['in Node', ['--types', 'node', '--lib', 'es2022', '--module', 'nodenext']],
  [
    'in browsers',
    ['--lib', 'es2022,dom', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''],
  ],
  [
    'in Workers',
    [
      '--types',
      '@cloudflare/workers-types',
      '--lib',
      'es2022',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    ],
  ],
])(
  'its types serve a strict consumer %s',
  (_, options) => {
    for (const name of ['@types', '@cloudflare', 'undici-types']) {
      const link = path.join(folder, 'node_modules', name)
      if (!existsSync(link)) symlinkSync(path.join(MODULES, name), link)
    }
    mkdirSync(path.join(folder, 'consumer'), { recursive: true })
    const file = path.join(folder, 'consumer/receive.mts')
    writeFileSync(file, CONSUMER)
    const strict = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
    ]
    // No skipLibCheck: the package's own declarations are what is checked.
    let output = ''
    try {
      execFileSync(process.execPath, [TSC, ...strict, ...options, file], { cwd: folder })
    } catch (error) {
      output = String((error as { stdout?: Buffer }).stdout)
    }
    expect(output).toBe('')
  },
  30_000,
)
