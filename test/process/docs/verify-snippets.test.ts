import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import vm from 'node:vm'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readExampleEvents } from '../../../scripts/demo/example-events.ts'
import { librarySecret } from '../../../scripts/demo/signatures.ts'
import { RelayClient } from '../../support/process/relay-client.ts'
import { RelayProcess } from '../../support/process/relay-process.ts'
import { type Received, Receiver } from '../../support/receivers/receiver.ts'

const SNIPPETS = path.resolve(import.meta.dirname, '../../../examples/verify')
const SECRETS = [
  'your-webhook-secret-key',
  `whsec_${Buffer.alloc(32, 0xfb).toString('base64')}`,
  'Schlüssel-密钥-🔑',
]

/** What JSON.parse and JSON.stringify would not give back. */
const EXACT_DATA =
  '{ "total": 2567.50, "big": 12345678901234567890, "tiny": 1E-7,\n  "a": 1, "a": 2, "name": "\\u00e9 é 日本 \\/ 🧾", "2": 0, "1": -0.0 }'
const EXACT_EVENT = `{"id":"exact","event":"invoice.exact","data":${EXACT_DATA},"context":{"n": 10.00}}`

/** A delivery, or a changed one, and whether its receiver is to believe it. */
type Case = {
  body: Buffer
  headers: Record<string, string>
  secret: string
  expected: boolean
  what: string
}

const events = [...readExampleEvents().map(({ text }) => text), EXACT_EVENT]
const stateDir = mkdtempSync(path.join(tmpdir(), 'posthorn-verify-'))
let relay: RelayProcess
let receiver: Receiver

beforeAll(async () => {
  receiver = await Receiver.start()
  relay = await RelayProcess.start({ stateDir })
  const client = new RelayClient(relay, 'verify')
  for (const [i, secret] of SECRETS.entries()) {
    await client.subscribe({ url: receiver.url(`/${i}`), events: ['*'], secret })
  }
  for (const text of events)
    expect(await client.publishText(text)).toMatchObject({ matched: [SECRETS.length] })
  for (const i of SECRETS.keys()) {
    expect(await receiver.waitForDelivered(`/${i}`, events.length, 30_000)).toBe(true)
  }
})

afterAll(async () => {
  await relay?.stop()
  await receiver?.close()
  rmSync(stateDir, { recursive: true, force: true })
})

test('data and context arrive as the text they were sent as', () => {
  for (const i of SECRETS.keys()) {
    const body = String(receiver.byId(`/${i}`).get('exact')?.[0]?.body)
    expect(body).toContain(`"data":${EXACT_DATA},`)
    expect(body).toContain('"context":{"n": 10.00}}')
  }
})

describe('a real delivery is believed, and no longer with one bit flipped', () => {
  test('by standardwebhooks', () => {
    for (const { body, headers, secret, expected, what } of cases('webhook-signature')) {
      const verify = () => new Webhook(librarySecret(secret)).verify(body, headers)
      if (expected) expect(verify(), what).toEqual(JSON.parse(String(body)))
      else expect(verify, what).toThrow('No matching signature found')
    }
  })

  test("by seed 002's Node function", () => {
    const source = snippet('seed-002.js', /^const crypto = .*?^}$/ms)
    const load = vm.compileFunction(`${source}\nreturn verifyWebhookSignature`, ['require'])
    const verify = load(createRequire(import.meta.url)) as (...args: [Buffer, string, string]) => boolean
    for (const { body, headers, secret, expected, what } of cases('x-signature')) {
      expect(verify(body, headers['x-signature'] ?? '', secret), what).toBe(expected)
    }
  })

  test("by seed 002's Python function", ({ skip }) => {
    if (isMissing('python3')) return skip('python3 is not installed')
    const source = snippet('seed-002.py', /^def verify_signature.*?^ {4}return [^\n]*$/ms)
    const program = `import base64, hashlib, hmac, json, sys\n${source}\n${PYTHON_MAIN}`
    expectInterpreted('python3', ['-c', program])
  })

  test("by seed 002's PHP function", ({ skip }) => {
    if (isMissing('php')) return skip('php is not installed')
    const source = snippet('seed-002.php', /^function verifySignature.*?^}$/ms)
    expectInterpreted('php', ['-r', `${source}\n${PHP_MAIN}`])
  })
})

const PYTHON_MAIN = `print(json.dumps([
    verify_signature(base64.b64decode(case['body']), case['signature'], case['secret'])
    for case in json.load(sys.stdin)
]))`
const PHP_MAIN = `echo json_encode(array_map(
  fn ($case) => verifySignature(base64_decode($case['body']), $case['signature'], $case['secret']),
  json_decode(stream_get_contents(STDIN), true)
));`

/** Gives every case to a program of another language at once and compares what it says. */
function expectInterpreted(command: string, args: readonly string[]): void {
  const all = cases('x-signature')
  const input = JSON.stringify(
    all.map(({ body, headers, secret }) => ({
      body: body.toString('base64'),
      signature: headers['x-signature'],
      secret,
    })),
  )
  const said = JSON.parse(execFileSync(command, args, { input, encoding: 'utf8' })) as boolean[]
  expect(all.map(({ what }, i) => [what, said[i]])).toEqual(all.map(({ what, expected }) => [what, expected]))
}

/** Every delivery, and what it must not be taken for. */
function cases(signatureHeader: string): Case[] {
  const made = SECRETS.flatMap((secret, i) =>
    receiver.requests(`/${i}`).flatMap((delivery) => casesOf(delivery, secret, signatureHeader)),
  )
  expect(made).toHaveLength(SECRETS.length * events.length * 4)
  return made
}

function casesOf({ id, headers, body }: Received, secret: string, signatureHeader: string): Case[] {
  const signature = headers[signatureHeader] ?? ''
  const changed = { ...headers, [signatureHeader]: withOtherDigit(signature) }
  const whose = `${id} under ${secret}`
  return [
    { body, headers, secret, expected: true, what: whose },
    {
      body: withFlippedBit(body),
      headers,
      secret,
      expected: false,
      what: `${whose}, a bit of its body flipped`,
    },
    { body, headers: changed, secret, expected: false, what: `${whose}, its signature changed` },
    {
      body,
      headers,
      secret: 'another-secret',
      expected: false,
      what: `${whose}, checked with another secret`,
    },
  ]
}

/** Flips the lowest bit of a character in the middle of the data, so that the body stays text. */
function withFlippedBit(body: Buffer): Buffer {
  const changed = Buffer.from(body)
  const at = changed.indexOf('"data"') + 1
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** Changes a digit in the middle of a signature, hex or base64. */
function withOtherDigit(signature: string): string {
  const at = 20
  return `${signature.slice(0, at)}${signature[at] === '0' ? '1' : '0'}${signature.slice(at + 1)}`
}

/** A part of the seed's own code, word for word. */
function snippet(file: string, part: RegExp): string {
  const [source] = part.exec(readFileSync(path.join(SNIPPETS, file), 'utf8')) ?? []
  if (source === undefined) throw new Error(`examples/verify/${file} does not hold ${part}`)
  return source
}

/** Says so in the output, because a skipped test is easily overlooked. */
function isMissing(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    console.warn(`NOT CHECKED: seed 002's function for ${command}, which is not installed here`)
    return true
  }
}
