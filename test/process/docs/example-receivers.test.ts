import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { ownRelay } from '../../support/process/own-relay.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { type Received, waitUntil } from '../../support/receivers/receiver.ts'

const FOLDER = path.resolve(import.meta.dirname, '../../../examples/receivers')
const SECRETS = {
  'a secret of its own wording': 'Schlüssel-your-webhook-secret-key',
  'a generated secret': `whsec_${Buffer.alloc(32, 0xfb).toString('base64')}`,
}
const EVENT = {
  id: 'inv-1-paid',
  event: 'invoice.paid',
  data: { object: { id: 'inv_1', note: 'é 日本 🧾' } },
}

const stage = ownRelay('receivers')

const PROGRAMS = { 'node.mjs': process.execPath, 'python_server.py': 'python3' }

for (const [name, secret] of Object.entries(SECRETS)) {
  for (const [file, command] of Object.entries(PROGRAMS)) {
    test(`${file} believes a delivery under ${name}, and nothing that was changed`, async () => {
      const example = await startExample(command, path.join(FOLDER, file), secret)
      try {
        const url = `${example.url}/webhooks/bigledger`
        const { headers, body } = await deliver(url, secret)
        expect(await example.printed('Received invoice.paid inv-1-paid\n')).toBe(true)
        expect(await post(url, headers, body)).toEqual([200, 'Event processed successfully'])
        expect(await post(url, headers, withFlippedBit(body))).toEqual([401, 'Invalid signature'])
        const old = { ...headers, 'webhook-timestamp': '1700000000' }
        expect(await post(url, old, body)).toEqual([401, 'Invalid signature'])
        expect(await post(url, {}, body)).toEqual([401, 'Invalid signature'])
        expect(example.output().match(/Received/g)).toHaveLength(1)
      } finally {
        await example.stop()
      }
    })
  }

  test(`hono.mjs believes a delivery under ${name}, and nothing that was changed`, async () => {
    const module: unknown = await import(pathToFileURL(path.join(FOLDER, 'hono.mjs')).href)
    const { default: app } = module as { default: HonoApp }
    const queued: unknown[] = []
    const handled = new Map<string, string>()
    const env: WorkerEnv = {
      SECRET: secret,
      HANDLED: {
        get: async (id) => handled.get(id) ?? null,
        put: async (id, value) => void handled.set(id, value),
      },
      INBOX: { send: async (event) => void queued.push(event) },
    }
    const { headers, body } = await deliver(stage.receiver.url('/hono'), secret)
    const send = async (bytes: Buffer<ArrayBuffer>) =>
      await app.request('/webhooks/bigledger', { method: 'POST', headers, body: bytes }, env)
    const response = await send(Buffer.from(body))
    expect([response.status, await response.text()]).toEqual([200, 'Event processed successfully'])
    expect(queued).toMatchObject([EVENT])
    expect((await send(withFlippedBit(body))).status).toBe(401)
  })
}

test("the banner's two calls reach the receiver that the README starts", async () => {
  const { relay } = stage
  const readme = readFileSync(path.resolve(FOLDER, '../../README.md'), 'utf8')
  const secret = /^SECRET=(\S+) PORT=3000 node examples\/receivers\/node\.mjs$/m.exec(readme)?.[1] ?? ''
  const example = await startExample(process.execPath, path.join(FOLDER, 'node.mjs'), secret)
  try {
    const calls = [...relay.output.matchAll(/^ {2}curl .*\\\n.*\\\n.*$/gm)].map(([call]) => call)
    expect(calls).toHaveLength(2)
    for (const call of calls) {
      const asked = call.replace('http://127.0.0.1:3000', example.url)
      const answer = execFileSync('bash', ['-c', asked], {
        env: { ...process.env, ADMIN_KEY: relay.adminKey },
      })
      expect(JSON.parse(String(answer))).toMatchObject({ success: true })
    }
    expect(await example.printed('Received invoice.paid evt_')).toBe(true)
  } finally {
    await example.stop()
  }
})

type WorkerEnv = {
  SECRET: string
  HANDLED: { get(id: string): Promise<string | null>; put(id: string, value: string): Promise<void> }
  INBOX: { send(event: unknown): Promise<void> }
}
type HonoApp = { request: (path: string, init: RequestInit, env: WorkerEnv) => Promise<Response> }

let runs = 0

/** Publishes the event to a URL and to the witness under the same secret; answers what the witness saw. */
async function deliver(url: string, secret: string): Promise<Received> {
  const { relay, receiver: witness } = stage
  const run = runs++
  const client = new RelayClient(relay, `receivers-${run}`)
  for (const target of new Set([url, witness.url(`/${run}`)])) {
    await client.subscribe({ url: target, events: ['*'], secret })
  }
  await client.publish(EVENT)
  expect(await witness.waitForDelivered(`/${run}`, 1, 20_000)).toBe(true)
  const [received] = witness.requests(`/${run}`)
  if (received === undefined) throw new Error('the witness kept nothing')
  return received
}

async function post(url: string, headers: Record<string, string>, body: Buffer): Promise<[number, string]> {
  const signed = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')))
  const response = await fetch(url, { method: 'POST', headers: signed, body: Buffer.from(body) })
  return [response.status, await response.text()]
}

function withFlippedBit(body: Buffer): Buffer<ArrayBuffer> {
  const changed = Buffer.from(body)
  const at = changed.indexOf('"data"') + 1
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** Starts an example on a free port and waits for the line that says which. */
async function startExample(command: string, file: string, secret: string) {
  const env = { ...process.env, SECRET: secret, PORT: '0', PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1' }
  const child = spawn(command, [file], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = Promise.withResolvers<void>()
  child.once('error', (error) => {
    output += error.message
    ended.resolve()
  })
  child.once('exit', () => ended.resolve())
  const url = () => /^Listening on (http:\S+)\n/m.exec(output)?.[1] ?? ''
  await Promise.race([waitUntil(() => url() !== '', 15_000), ended.promise])
  if (url() === '') {
    child.kill()
    throw new Error(`${file} did not start: ${output}`)
  }
  return {
    url: url(),
    output: () => output,
    printed: async (text: string) => await waitUntil(() => output.includes(text), 10_000),
    stop: async () => {
      child.kill()
      await ended.promise
    },
  }
}
