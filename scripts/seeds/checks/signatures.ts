import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { askProgram, seedReceivers } from '../../../test/process/support/seed-receivers.ts'
import type { Received } from '../../../test/support/receivers/receiver.ts'
import { ROOT } from '../../local/root.ts'
import { example } from '../examples.ts'
import type { Check } from '../row.ts'
import type { Json, Scene } from '../scene.ts'

/** Seed 002's; without `whsec_`, so that every signature is made with the text itself. */
export const SECRET = 'your-webhook-secret-key'

/** A delivery is believed by a seed's own code, and not once its body or the secret is another. */
export function believed(name: string, settings: Json, event: string): Check {
  return async (scene) => {
    await scene.subscribe({ secret: SECRET, ...settings })
    await scene.publish(event)
    const given = { ...(await scene.arrival()), secret: String(settings['secret'] ?? SECRET) }
    const changed = { ...given, body: Buffer.from(`${given.body} `) }
    const other = { ...given, secret: 'another-secret-of-mine' }
    assert.deepEqual(accept(name, [given, changed, other]), [true, false, false])
    return `${name} believes it, and nothing that was changed`
  }
}

/** What a seed's own code says to requests. */
function accept(
  name: string,
  checks: (Pick<Received, 'body' | 'headers'> & { secret: string })[],
): boolean[] {
  const receiver = seedReceivers().find((each) => each.name === name)
  assert.ok(receiver, name)
  if ('accepts' in receiver) {
    const { accepts } = receiver
    return checks.map((check) => accepts(check))
  }
  const { program, expression } = receiver
  return askProgram(
    program,
    checks.map((check) => ({ ...check, expression })),
  )
}

/** Seed 000's lines, with the framework's request taken apart. */
const LEDGERLY_SNIPPET = `[, $timestamp, $signature, $content] = $argv;
$expected = hash_hmac(
'sha256',
$timestamp.'.'.$content,
getenv('LEDGERLY_WEBHOOK_SECRET')
);
echo hash_equals($expected, $signature) ? 'believed' : 'refused';`

const BARE = {
  profile: 'custom',
  custom: {
    payload: 'ledgerly',
    timestampHeader: 'X-Ledgerly-Timestamp',
    signature: { header: 'X-Ledgerly-Signature', content: '{timestamp}.{body}' },
  },
}

/** The snippet compares with the whole header: it refuses the seed's own form, and believes the bare signature. */
export const ledgerlySnippet: Check = async (scene) => {
  const event = example.event('000-entry_persisted')
  await scene.subscribe({ url: scene.url('/form'), secret: SECRET, profile: 'ledgerly' })
  await scene.subscribe({ url: scene.url('/bare'), secret: SECRET, ...BARE })
  await scene.publish(event)
  const said = [snippetOn(await scene.arrival(1, '/form')), snippetOn(await scene.arrival(1, '/bare'))]
  assert.deepEqual(said, ['refused', 'believed'])
  return 'refuses `t=…,v1=…`, believes the bare signature of a custom profile'
}

function snippetOn({ headers, body }: Received): string {
  const args = [headers['x-ledgerly-timestamp'] ?? '', headers['x-ledgerly-signature'] ?? '', String(body)]
  const env = { ...process.env, LEDGERLY_WEBHOOK_SECRET: SECRET }
  return execFileSync('php', ['-r', LEDGERLY_SNIPPET, '--', ...args], { env, encoding: 'utf8' })
}

const DISPATCHER = path.join(ROOT, 'examples/publishers/PosthornDispatcher.php')
const CONTRACT =
  'namespace Ledgerly\\Core\\Contracts { interface WebhookDispatcher { function dispatch(array $payload, string $event): void; } }'

/** Seed 000's contract, implemented by the dispatcher of `examples/publishers`. */
export const ledgerlyDispatcher: Check = async (scene) => {
  await scene.subscribe({ secret: SECRET, profile: 'ledgerly', events: ['entry_persisted'] })
  await php(
    scene,
    `${CONTRACT} namespace { require '${DISPATCHER}'; (new \\App\\Integrations\\PosthornDispatcher)->dispatch(['event' => 'entry_persisted', 'data' => ['id' => 'e1', 'action' => 'invoice.approved']], 'entry_persisted'); }`,
  )
  const { body } = await scene.arrival()
  assert.equal(String(body), '{"event":"entry_persisted","data":{"id":"e1","action":"invoice.approved"}}')
  return 'PosthornDispatcher publishes the payload, and the profile delivers it'
}

/** `publishEvent()` of `examples/publishers` in the place of the seed's `dispatch()`. */
export function publishedFromPhp(call: string, data: Json): Check {
  return async (scene) => {
    await scene.subscribe({ secret: SECRET, profile: 'core' })
    await php(scene, `require '${path.join(ROOT, 'examples/publishers/publish.php')}'; ${call};`)
    const { body } = await scene.arrival()
    assert.deepEqual((JSON.parse(String(body)) as { data: Json }).data, { object: data })
    return 'published by publish.php and delivered'
  }
}

async function php({ relay, workspace }: Scene, code: string): Promise<void> {
  const env = {
    ...process.env,
    POSTHORN_URL: relay.url,
    POSTHORN_KEY: relay.adminKey,
    POSTHORN_WORKSPACE: workspace,
  }
  await promisify(execFile)('php', ['-r', code], { env, timeout: 20_000 })
}
