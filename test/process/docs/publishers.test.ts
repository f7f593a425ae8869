import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RelayClient } from '../../support/process/relay-client.ts'
import { type SharedRelay, sharedRelay } from '../../support/process/shared-relay.ts'
import { Receiver } from '../../support/receivers/receiver.ts'
import { hasTools } from '../support/required-tools.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const PUBLISH = path.join(ROOT, 'examples/publishers/publish.php')
const DISPATCHER = path.join(ROOT, 'examples/publishers/PosthornDispatcher.php')
const SECRET = 'your-webhook-secret-key'
const WORKSPACE = 'publishers'

/** Seed 000's own lines, with the framework's request taken apart. */
const VERBATIM = `
$expected = hash_hmac(
'sha256',
$timestamp.'.'.$content,
getenv('LEDGERLY_WEBHOOK_SECRET')
);
echo hash_equals($expected, $signature) ? 'believed' : 'refused';`

describe('publishers in PHP', () => {
  if (hasTools({ php: 'php-cli' })) checkPublishers()
})

function checkPublishers(): void {
  let relay: SharedRelay
  let receiver: Receiver
  let client: RelayClient

  beforeAll(async () => {
    receiver = await Receiver.start()
    relay = await sharedRelay()
    client = new RelayClient(relay, WORKSPACE)
  })
  afterAll(() => receiver?.close())

  const php = async (code: string, url = relay.url) => {
    const env = {
      ...process.env,
      POSTHORN_URL: url,
      POSTHORN_KEY: relay.adminKey,
      POSTHORN_WORKSPACE: WORKSPACE,
    }
    const child = spawn('php', ['-r', code], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text))
    await new Promise((resolve) => child.once('close', resolve))
    return output
  }

  test('publish.php publishes once under an id, however often it is called', async () => {
    await client.subscribe({ url: receiver.url('/php'), events: ['post.*'], secret: SECRET })
    const call = `publishEvent('post.created', ['id' => 123, 'title' => 'Größe', 'price' => 10.0], 'post-123-created')`
    expect(await php(`require '${PUBLISH}'; echo ${call}, ' ', ${call};`)).toBe(
      'post-123-created post-123-created',
    )
    expect(await receiver.waitForDelivered('/php', 1, 20_000)).toBe(true)
    expect(String(receiver.requests('/php')[0]?.body)).toContain(
      '"data":{"id":123,"title":"Gr\\u00f6\\u00dfe","price":10.0}',
    )
    expect(receiver.requests('/php')).toHaveLength(1)
    expect(await php(`require '${PUBLISH}'; echo publishEvent('post.emptied', [], 'post-empty');`)).toBe(
      'post-empty',
    )
  })

  test('publish.php says why an event is refused, and does not repeat it', async () => {
    const output = await php(`require '${PUBLISH}'; publishEvent('post..created', ['id' => 1], 'post-1');`)
    expect(output).toContain('Posthorn answered 400 to post..created post-1')
    expect(output).toContain('must be an event type')
  })

  test('publish.php tries again under the same id where the relay cannot store it now', async () => {
    receiver.script(
      '/busy/api/v1/events',
      { status: 503, headers: { 'Retry-After': '0' } },
      { status: 202, body: '{"data":{"id":"post-9"}}' },
    )
    const call = `require '${PUBLISH}'; echo publishEvent('post.created', ['id' => 9], 'post-9');`
    expect(await php(call, receiver.url('/busy'))).toBe('post-9')
    const bodies = receiver.requests('/busy/api/v1/events').map(({ body }) => String(body))
    expect(bodies).toEqual(Array(2).fill('{"id":"post-9","event":"post.created","data":{"id":9}}'))
  })

  test("Ledgerly's dispatcher publishes an entry under its id; the profile gives its payload back", async () => {
    await client.subscribe({
      url: receiver.url('/ledger'),
      events: ['entry_persisted'],
      secret: SECRET,
      profile: 'ledgerly',
    })
    const payload = `['event' => 'entry_persisted', 'data' => ['id' => '01hm6v2k', 'action' => 'invoice.approved']]`
    const contract =
      'namespace Ledgerly\\Core\\Contracts { interface WebhookDispatcher { function dispatch(array $payload, string $event): void; } }'
    const call = `(new \\App\\Integrations\\PosthornDispatcher)->dispatch(${payload}, 'entry_persisted');`
    expect(await php(`${contract} namespace { require '${DISPATCHER}'; ${call} }`)).toBe('')
    expect(await receiver.waitForDelivered('/ledger', 1, 20_000)).toBe(true)
    expect(String(receiver.requests('/ledger')[0]?.body)).toBe(
      '{"event":"entry_persisted","data":{"id":"01hm6v2k","action":"invoice.approved"}}',
    )
  })

  test("seed 000's snippet word for word believes what docs/migrating.md subscribes it to", async () => {
    const page = readFileSync(path.join(ROOT, 'docs/migrating.md'), 'utf8')
    const [, custom = ''] = /"profile": "custom",\s*"custom": (\{.*?\}\})\}'/s.exec(page) ?? []
    const settings = {
      events: ['entry_persisted'],
      secret: SECRET,
      profile: 'custom',
      custom: JSON.parse(custom),
    }
    await client.subscribe({ url: receiver.url('/verbatim'), ...settings })
    await client.publish({ id: 'entry-2', event: 'entry_persisted', data: { id: '01hm6v2m' } })
    expect(await receiver.waitForDelivered('/verbatim', 1, 20_000)).toBe(true)
    const [received] = receiver.requests('/verbatim')
    const header = (name: string) => received?.headers[name] ?? ''
    const given = [header('x-ledgerly-timestamp'), header('x-ledgerly-signature'), String(received?.body)]
    const verify = (...args: string[]) =>
      execFileSync(
        'php',
        ['-r', `[, $timestamp, $signature, $content] = $argv; ${VERBATIM}`, '--', ...args],
        {
          env: { ...process.env, LEDGERLY_WEBHOOK_SECRET: SECRET },
          encoding: 'utf8',
        },
      )
    expect(verify(...given)).toBe('believed')
    expect(verify(given[0] ?? '', given[1] ?? '', `${given[2]} `)).toBe('refused')
    expect(given[2]).toBe('{"event":"entry_persisted","data":{"id":"01hm6v2m"}}')
  })
}
