import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readExampleEvents } from '../../../scripts/demo/example-events.ts'

const SCRIPT = path.resolve(import.meta.dirname, '../../../scripts/demo/run.ts')
const EVENTS = readExampleEvents()

let temp: string
let fake: FakeRelay

beforeEach(async () => {
  temp = mkdtempSync(path.join(tmpdir(), 'posthorn-demo-test-'))
  fake = await FakeRelay.start()
})

afterEach(async () => {
  await fake.close()
  rmSync(temp, { recursive: true, force: true })
})

test('shows every example event delivered and verified, ends by itself with 0, and leaves nothing behind', async () => {
  const { code, output } = await runDemo({})
  expect(code, output).toBe(0)
  for (const { type } of EVENTS) {
    const line = new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} +${type} +\\S+ +ok +ok +\\d+ +\\d+ ms$`, 'm')
    expect(output).toMatch(line)
  }
  const all = EVENTS.length
  expect(output).toContain(
    `${all} of ${all} events delivered, ${all} of ${all} deliveries with both signatures right`,
  )
  expect(output).not.toContain('\u001b')
  expect(readdirSync(temp).filter((name) => name.startsWith('posthorn-demo'))).toEqual([])
})

test('publishes the files as they stand to the relay that is given, and takes its subscription back', async () => {
  const { code, output } = await runDemo({ RELAY_URL: `${fake.url}/`, ADMIN_KEY: 'the_key' })
  expect(code, output).toBe(0)
  expect(fake.published).toEqual(EVENTS.map(({ text }) => text))
  expect(fake.keys).toEqual(new Set(['Bearer the_key']))
  expect(fake.deleted).toEqual(['/api/v1/webhooks/webhook_1'])
})

test('ends with 1 and names what did not arrive', async () => {
  fake.delivers = (i) => i !== 2
  const { code, output } = await runDemo({ RELAY_URL: fake.url, DEMO_WAIT_SECONDS: '0.5' })
  expect(code).toBe(1)
  expect(output).toContain(`${EVENTS.length - 1} of ${EVENTS.length} events delivered`)
  expect(output).toContain(`Did not arrive: ${EVENTS[2]?.type} fake_2`)
})

test('ends with 1 when a signature is wrong', async () => {
  fake.sign = (i, secret) => (i === 3 ? 'another-secret-key' : secret)
  const { code, output } = await runDemo({ RELAY_URL: fake.url })
  expect(code).toBe(1)
  expect(output).toContain(`Not signed as it should be: ${EVENTS[3]?.type} fake_3`)
  expect(output.match(/Not signed/g)).toHaveLength(1)
})

test('ends with 1 and the reason when the relay refuses', async () => {
  fake.refuses = true
  const { code, output } = await runDemo({ RELAY_URL: fake.url })
  expect(code).toBe(1)
  expect(output).toBe('POST /webhooks/subscribe was answered with 401: This key is not valid.\n')
})

test('takes its subscription back on Ctrl-C and ends with 130', async () => {
  fake.delivers = () => false
  const { code } = await runDemo({ RELAY_URL: fake.url }, () => fake.published.length === EVENTS.length)
  expect(code).toBe(130)
  expect(fake.deleted).toEqual(['/api/v1/webhooks/webhook_1'])
})

/** Runs the demo in a pipe; sends Ctrl-C as soon as `interruptWhen` holds. */
async function runDemo(env: Record<string, string>, interruptWhen?: () => boolean) {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env
  const child = spawn(process.execPath, [SCRIPT], { env: { ...inherited, TMPDIR: temp, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = Promise.withResolvers<number | null>()
  child.once('exit', (code) => ended.resolve(code))
  const timer = setInterval(() => {
    if (interruptWhen?.() !== true) return
    clearInterval(timer)
    child.kill('SIGINT')
  }, 20)
  const limit = setTimeout(() => child.kill('SIGKILL'), 50_000)
  const code = await ended.promise
  clearInterval(timer)
  clearTimeout(limit)
  return { code, output }
}

/** Just enough of a relay to be a bad one: delivers at once, or not, or wrongly signed. */
class FakeRelay {
  readonly published: string[] = []
  readonly deleted: string[] = []
  readonly keys = new Set<string | undefined>()
  delivers: (i: number) => boolean = () => true
  sign: (i: number, secret: string) => string = (_i, secret) => secret
  refuses = false
  readonly #server: Server
  #subscription = { url: '', secret: '' }

  private constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response))
  }

  static async start(): Promise<FakeRelay> {
    const relay = new FakeRelay()
    const listening = Promise.withResolvers<void>()
    relay.#server.listen(0, '127.0.0.1', listening.resolve)
    await listening.promise
    return relay
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    this.#server.closeAllConnections()
    await closed.promise
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if (this.refuses) {
      response.writeHead(401).end('This key is not valid.')
      return
    }
    this.keys.add(request.headers.authorization)
    response.end(JSON.stringify({ success: true, data: await this.#answer(request, text) }))
  }

  async #answer({ method, url = '' }: IncomingMessage, text: string): Promise<unknown> {
    if (method === 'DELETE') {
      this.deleted.push(url)
      return {}
    }
    if (url.endsWith('/subscribe')) {
      this.#subscription = JSON.parse(text) as { url: string; secret: string }
      return { id: 'webhook_1' }
    }
    const i = this.published.push(text) - 1
    // Before the publish is answered, as a fast relay does.
    if (this.delivers(i)) await this.#deliver(i, text)
    return { id: `fake_${i}`, status: 'accepted', matched: 1 }
  }

  async #deliver(i: number, body: string): Promise<void> {
    const secret = this.sign(i, this.#subscription.secret)
    const timestamp = String(Math.floor(Date.now() / 1000))
    const hmac = (content: string) => createHmac('sha256', secret).update(content)
    const headers = {
      'webhook-id': `fake_${i}`,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${hmac(`fake_${i}.${timestamp}.${body}`).digest('base64')}`,
      'X-Signature': `sha256=${hmac(body).digest('hex')}`,
    }
    await fetch(this.#subscription.url, { method: 'POST', headers, body })
  }
}
