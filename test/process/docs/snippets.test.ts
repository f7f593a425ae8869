import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sign } from '../../../src/signature/index.ts'
import { installPackages, SERVE_WORKER } from '../support/example-languages.ts'
import { ExampleProcess, type Sent } from '../support/example-process.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const SECRET = 'your-webhook-secret-key'
const BODY = '{"id":"evt_1","event":"invoice.paid","data":{"object":{"total":2567.50}}}'
const parent = mkdtempSync(path.join(tmpdir(), 'posthorn-snippets-'))

afterAll(() => rmSync(parent, { recursive: true, force: true }))

/** A folder as `npm init -y` and `npm install` leave it, with what the page calls by a file name. */
async function folderOf(page: string): Promise<string> {
  const folder = path.join(parent, page.replaceAll('/', '-'))
  mkdirSync(folder)
  execFileSync('npm', ['init', '-y'], { cwd: folder, stdio: 'ignore' })
  await installPackages(folder)
  const text = readFileSync(path.join(ROOT, page), 'utf8')
  for (const [, code = '', name = ''] of text.matchAll(/^```js\n(\/\/ (\S+)\n.*?)^```$/gms)) {
    writeFileSync(path.join(folder, name), code)
  }
  return folder
}

const SERVERS: Record<string, [file: string, runner?: string][]> = {
  'docs/receive.md': [['receiver.mjs']],
  'packages/client/README.md': [['receiver.mjs'], ['worker.mjs', SERVE_WORKER]],
  'docs/verify.md': [['express.mjs'], ['hono.mjs', SERVE_WORKER]],
}

describe.each(Object.keys(SERVERS))('what %s shows runs in a new folder', (page) => {
  let folder: string
  beforeAll(async () => {
    folder = await folderOf(page)
  })

  test.each(SERVERS[page] ?? [])(
    '%s takes what is genuine, and refuses whatever else comes',
    async (...snippet) => {
      const [file, runner] = snippet
      const command: [string, ...string[]] = [process.execPath, ...(runner ? [runner] : []), file]
      const example = { file, tools: {}, command: () => command, at: '/webhooks' }
      const receiver = await ExampleProcess.start(example, folder, { SECRET })
      try {
        const headers = await sign({ body: BODY, secret: SECRET })
        expect(await receiver.post({ body: BODY, headers })).toBe(200)
        for (const wrong of wrongHeaders(headers)) {
          expect(await receiver.post({ body: BODY, headers: wrong }), JSON.stringify(wrong)).toBe(401)
        }
        expect(await receiver.post({ body: `${BODY} `, headers })).toBe(401)
      } finally {
        await receiver.stop()
      }
    },
  )
})

function wrongHeaders(headers: Record<string, string>): Sent['headers'][] {
  const values = ['', 'v1,', 'v1,AA', 'v1,%%', '\xff\xfe', 'x'.repeat(3000)]
  return [{}, ...values.map((value) => ({ ...headers, 'webhook-signature': value }))]
}

test('the check of X-Signature that is shown says false, and never throws', async () => {
  const folder = path.join(parent, 'docs-receive.md')
  const module: unknown = await import(pathToFileURL(path.join(folder, 'signature.mjs')).href)
  const { verifyWebhookSignature } = module as {
    verifyWebhookSignature: (payload: Buffer, signature: unknown, secret: string) => boolean
  }
  const check = (signature: unknown) => verifyWebhookSignature(Buffer.from(BODY), signature, SECRET)
  const { 'X-Signature': genuine = '' } = await sign({ body: BODY, secret: SECRET, profile: 'bigledger' })
  expect(check(genuine)).toBe(true)
  const digit = genuine.endsWith('0') ? '1' : '0'
  const malformed = [
    undefined,
    null,
    '',
    'sha256=',
    'sha256=00',
    genuine.slice(0, -1),
    `${genuine}0`,
    'é'.repeat(64),
  ]
  for (const wrong of [...malformed, genuine.slice(7), genuine.slice(0, -1) + digit, ['a'], 7]) {
    expect(check(wrong), String(wrong)).toBe(false)
  }
})

test('the test of a receiver that the package shows passes with the receiver that it shows', async () => {
  const folder = path.join(parent, 'packages-client-README.md')
  const example = { file: '', tools: {}, command: (): [string, string] => [process.execPath, 'receiver.mjs'] }
  const receiver = await ExampleProcess.start(example, folder, { SECRET })
  try {
    const env = { ...process.env, RECEIVER: receiver.url }
    execFileSync(process.execPath, ['--test', 'receiver.test.mjs'], { cwd: folder, env, stdio: 'pipe' })
  } finally {
    await receiver.stop()
  }
  execFileSync(process.execPath, ['receiver.cjs'], { cwd: folder, stdio: 'pipe' })
})
