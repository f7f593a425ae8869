/// <reference types="node" />
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackage, ROOT } from './built-package.ts'
import { headersOf } from './oracle.ts'

const SECRET = 'your-webhook-secret-key'
const BODY = '{"id":"evt_1","event":"invoice.paid","data":{"total":2567.50}}'
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-verify-examples-'))
const example = (name: string) => path.join(folder, name)

// As installed: the examples beside node_modules/posthorn.
beforeAll(() => {
  buildPackage(path.join(folder, 'node_modules/posthorn'))
  symlinkSync(path.join(ROOT, 'node_modules/hono'), path.join(folder, 'node_modules/hono'))
  for (const name of ['verify-node.mjs', 'verify-hono.mjs', 'verify-fetch.mjs']) {
    cpSync(path.join(ROOT, 'examples/receivers', name), example(name))
  }
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const timestamp = () => Math.floor(Date.now() / 1000)

type Changes = { secret?: string; body?: string; sent?: string; ageSeconds?: number }

/** A request as the relay makes it, made anew each time, for its body can be read once. */
function post(url: string, { secret = SECRET, body = BODY, sent, ageSeconds = 0 }: Changes = {}) {
  const headers = headersOf('standard', { secret, body, id: 'evt_1', timestamp: timestamp() - ageSeconds })
  return new Request(url, { method: 'POST', headers, body: sent ?? body })
}

/** What no receiver may believe. */
const REFUSED = {
  'under another secret': { secret: 'another-secret-of-mine' },
  'with another body': { sent: BODY.replace('2567.50', '2567.5') },
  'of an hour ago': { ageSeconds: 3600 },
}

type FetchExample = { default: { fetch: (request: Request, env: object) => Response | Promise<Response> } }

describe.each([
  ['verify-hono.mjs', 'Received invoice.paid evt_1'],
  ['verify-fetch.mjs', '{"id":"evt_1","received":["invoice.paid"]}'],
])('%s', (name, answer) => {
  const ask = async (request: Request) => {
    const { default: app } = (await import(pathToFileURL(example(name)).href)) as FetchExample
    const response = await app.fetch(request, { SECRET })
    return [response.status, await response.text()]
  }
  const url = 'https://receiver.example.com/webhooks/bigledger'

  test('believes a delivery', async () => {
    expect(await ask(post(url))).toEqual([200, answer])
  })

  test.each(Object.entries(REFUSED))('refuses one %s', async (_, changes) => {
    expect(await ask(post(url, changes))).toEqual([401, 'Invalid signature'])
  })

  test('refuses one whose time is not signed', async () => {
    const request = new Request(url, {
      method: 'POST',
      body: BODY,
      headers: headersOf('bigledger', { secret: SECRET, body: BODY }),
    })
    expect(await ask(request)).toEqual([401, 'Invalid signature'])
  })
})

test('verify-fetch.mjs takes a batch', async () => {
  const { default: app } = (await import(pathToFileURL(example('verify-fetch.mjs')).href)) as FetchExample
  const body =
    '{"batch":true,"events":[{"event":"invoice.created"},{"event":"invoice.paid"}],"batchId":"batch_1"}'
  const response = await app.fetch(post('https://receiver.example.com/', { body }), { SECRET })
  expect(await response.json()).toMatchObject({ received: ['invoice.created', 'invoice.paid'] })
})

test('verify-node.mjs believes a delivery once, under either secret, and nothing that was changed', async () => {
  const env = { ...process.env, SECRET: 'the-new-secret-of-mine', OLD_SECRET: SECRET, PORT: '0' }
  const child = spawn(process.execPath, [example('verify-node.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const printed = async () => String((await lines.next()).value)
    const url = (await printed()).replace('Listening on ', '')
    const ask = async (changes = {}) => {
      const response = await fetch(post(url, changes))
      return [response.status, await response.text()]
    }
    expect(await ask()).toEqual([200, 'Event processed successfully'])
    expect(await ask({ secret: 'the-new-secret-of-mine' })).toEqual([200, 'Event processed successfully'])
    for (const changes of Object.values(REFUSED))
      expect(await ask(changes)).toEqual([401, 'Invalid signature'])
    expect([await printed(), await printed(), await printed(), await printed()]).toEqual([
      'Received invoice.paid evt_1',
      expect.stringContaining('Refused: no_matching_signature'),
      expect.stringContaining('Refused: no_matching_signature'),
      expect.stringContaining('Refused: timestamp_too_old'),
    ])
  } finally {
    child.kill()
    await ended
  }
}, 30_000)
