import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../../support/built-package.ts'
import { isFullCount } from '../../support/full-count.ts'
import { hasTools } from '../support/required-tools.ts'
import { BrowserPage, CHROMIUM } from './browser-page.ts'
import { installTool } from './large-tools.ts'
import { EXPECTED, IMPORTS, PackedClient, PROGRAM, REQUIRES } from './packed-client.ts'

const page = new BrowserPage()
let client: PackedClient
beforeAll(async () => {
  await page.start()
  client = await PackedClient.install({ CORS_ORIGINS: page.origin })
})
afterAll(async () => {
  await client?.remove()
  await page.stop()
})

/** The machine's own Node, which may be older than the one that builds: what publishers have. */
const ownNode = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .map((each) => path.join(each, 'node'))
  .find((each) => !each.includes('node_modules') && existsSync(each))
const node = ownNode ?? process.execPath

test.each([
  ['mjs', IMPORTS],
  ['cjs', REQUIRES],
])('in Node, as %s, it publishes, pushes, lists and is refused', (ending, load) => {
  const run = `use(m0, m1, m2, m3, ${JSON.stringify(client.settings())})`
  client.write(
    `use.${ending}`,
    `${load}\n${PROGRAM}\n${run}.then((seen) => console.log(JSON.stringify(seen)))`,
  )
  expect(JSON.parse(client.outputOf(node, [`use.${ending}`]))).toEqual(EXPECTED)
})

test('in a Worker, it does the same, with an outbox in D1', async () => {
  const contents = `${IMPORTS}\n${PROGRAM}
    export default {
      async fetch(request, env) {
        const settings = { ...(await request.json()), fetch: (url, init) => env.EGRESS.fetch(url, init) }
        const outbox = new m2.D1Outbox(env.DB)
        await outbox.createTables()
        const event = (n) => outbox.enqueue(env.DB, { event: 'order.created', data: { n } })
        await env.DB.batch([1, 2, 3].map(event))
        const drained = await outbox.drain(new m0.Posthorn(settings))
        const { results } = await env.DB.prepare('SELECT * FROM posthorn_outbox').all()
        return Response.json([await use(m0, m1, m2, m3, settings), drained, results])
      },
    }`
  const script = await client.bundle('worker.mjs', contents, 'neutral')
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: '2025-01-01',
      d1Databases: ['DB'],
      serviceBindings: { EGRESS: { network: { allow: ['public', 'private'] } } },
    }),
  )
  try {
    const body = JSON.stringify(client.settings())
    const response = await worker.dispatchFetch('http://localhost/', { method: 'POST', body })
    expect(await response.json()).toEqual([EXPECTED, { published: 3, rejected: 0, isLeftToOther: false }, []])
  } finally {
    await worker.dispose()
  }
})

test('a bundle for browsers names no module of Node, and is small', async () => {
  const all = `${IMPORTS}\nconsole.log(m0, m1, m2, m3)`
  const whole = await client.bundle('page.mjs', all, 'browser')
  expect(whole).not.toMatch(/from ["']node:|\brequire\(|\bprocess\.|\bBuffer\b/)
  // The bundle keeps its names and comments; minified it is half as long.
  const posthorn = `import { Posthorn } from 'posthorn'\nconsole.log(Posthorn)`
  expect((await client.bundle('client.mjs', posthorn, 'browser')).length).toBeLessThan(60_000)
})

test('the page on publishing shows a program that runs', () => {
  const page = readFileSync(path.join(ROOT, 'docs/publish.md'), 'utf8')
  const [, code = ''] = /^```js\n(\/\/ publish\.mjs\n.*?)^```$/ms.exec(page) ?? []
  const { url, key } = client.settings()
  client.write('publish.mjs', code)
  const output = client.outputOf('env', [`POSTHORN_URL=${url}`, `POSTHORN_KEY=${key}`, node, 'publish.mjs'])
  expect(output).toMatch(/^evt_\w+ goes to 0 subscriptions\n$/)
})

describe('its types', () => {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const tsc = path.join(path.dirname(typescript), 'bin/tsc')
  const program = readFileSync(path.join(import.meta.dirname, 'typed-consumer.txt'), 'utf8')
  const bundled = ['--module', 'esnext', '--moduleResolution', 'bundler']

  // node16 lets no CommonJS require ESM, so it finds types of ESM where those of CommonJS belong.
  test.each([
    ['in Node', 'mts', ['--types', 'node', '--lib', 'es2022', '--module', 'nodenext']],
    ['in Node, as CommonJS', 'cts', ['--types', 'node', '--lib', 'es2022', '--module', 'node16']],
    ['in browsers', 'mts', ['--lib', 'es2022,dom', ...bundled, '--types', '']],
    ['in Workers', 'mts', ['--types', '@cloudflare/workers-types', '--lib', 'es2022', ...bundled]],
  ])('serve a strict consumer %s', (_, ending, options) => {
    client.write(`typed.${ending}`, program)
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
    // No skipLibCheck: the package's own declarations are what is checked.
    const args = [tsc, '--ignoreConfig', ...strict, ...options, `typed.${ending}`]
    expect(client.outputOf(process.execPath, args)).toBe('')
  })

  test('and files are as publint wants them', () => {
    const args = ['run', '--strict', '--pack', 'false', path.join(client.consumer, 'node_modules/posthorn')]
    expect(client.outputOf(path.join(ROOT, 'node_modules/.bin/publint'), args)).toContain('All good!')
  })
})

// Other runtimes take a minute to install, and browsers seconds to start.
if (isFullCount) {
  test('its types are found under every resolution that reads exports', () => {
    const args = [client.tarball, '--profile', 'node16', '--format', 'ascii']
    const attw = installTool('@arethetypeswrong/cli', 'attw')
    expect(client.outputOf(attw, args)).not.toMatch(/^(?!.*ignor).*(?:💀|❌|👺|🐛|🎭|🤨|🥴|🚭)/mu)
  }, 300_000)

  const runOf = () => `use(m0, m1, m2, m3, ${JSON.stringify(client.settings())})`

  test.each([
    ['deno', ['run', '--allow-net', '--allow-env', '--allow-read', '--node-modules-dir=manual']],
    ['bun', ['run']],
  ] as const)(
    'in %s, it does what it does in Node',
    (name, args) => {
      client.write(`${name}.mjs`, `${IMPORTS}\n${PROGRAM}\nconsole.log(JSON.stringify(await ${runOf()}))`)
      expect(JSON.parse(client.outputOf(installTool(name, name), [...args, `${name}.mjs`]))).toEqual(EXPECTED)
    },
    300_000,
  )

  if (hasTools({ [CHROMIUM]: 'chromium' }))
    test('in a browser, it does what it does in Node', async () => {
      const told = `(seen) => fetch('/seen', { method: 'POST', body: JSON.stringify(seen) })`
      const program = `${IMPORTS}\n${PROGRAM}\n${runOf()}.catch(String).then(${told})`
      expect(await page.show(await client.bundle('page.mjs', program, 'browser'))).toEqual(EXPECTED)
    })
}
