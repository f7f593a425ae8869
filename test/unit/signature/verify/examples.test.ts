/// <reference types="node" />
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, ROOT } from '../../../support/built-package.ts'
import { headersOf } from './oracle.ts'

const SECRET = 'your-webhook-secret-key'
const BODY = '{"id":"evt_1","event":"invoice.paid","data":{"total":2567.50}}'
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-verify-examples-'))
const example = (name: string) => path.join(folder, name)

// As installed: the example beside node_modules/posthorn.
beforeAll(async () => {
  await installPackage(path.join(folder, 'node_modules/posthorn'))
  cpSync(path.join(ROOT, 'examples/receivers/verify-node.mjs'), example('verify-node.mjs'))
}, 30_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const timestamp = () => Math.floor(Date.now() / 1000)

type Changes = { secret?: string; body?: string; sent?: string; ageSeconds?: number }

/** A request as the relay makes it, made anew each time, for its body can be read once. */
function post(url: string, { secret = SECRET, body = BODY, sent, ageSeconds = 0 }: Changes = {}) {
  const headers = headersOf('standard', { secret, body, id: 'evt_1', timestamp: timestamp() - ageSeconds })
  return new Request(url, { method: 'POST', headers, body: sent ?? body })
}

/** Deliveries that no receiver may believe. */
const REFUSED = {
  'under another secret': { secret: 'another-secret-of-mine' },
  'with another body': { sent: BODY.replace('2567.50', '2567.5') },
  'of an hour ago': { ageSeconds: 3600 },
}

test('verify-node.mjs takes the secret before as well, and prints the reasons of what it refuses', async () => {
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
