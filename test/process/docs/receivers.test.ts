import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateKeyPair, type SignInput, sign } from '../../../src/signature/index.ts'
import { atFullCount } from '../../support/full-count.ts'
import { EXAMPLES, type Example, installExamples } from '../support/example-languages.ts'
import { ExampleProcess, type Sent } from '../support/example-process.ts'
import { hasTools } from '../support/required-tools.ts'

const TEXT_SECRET = 'Schlüssel-your-webhook-secret-key'
const BASE64_SECRET = `whsec_${Buffer.alloc(32, 0xfb).toString('base64')}`
const folder = mkdtempSync(path.join(tmpdir(), 'posthorn-examples-'))

beforeAll(() => installExamples(folder))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0

/** An event as the relay delivers it, with an id of its own. */
function newEvent(): { id: string; text: string; line: string } {
  const id = `evt_${++made}`
  const data = '{"object":{"total":2567.50,"note":"é 日本 🧾 \\u00e9"}}'
  const text = `{"id":"${id}","event":"invoice.paid","timestamp":"2026-01-15T10:30:00Z","livemode":true,"api_version":"v1","data":${data},"context":{}}`
  return { id, text, line: `Received invoice.paid ${id}` }
}

function batchOf(events: { text: string }[]): string {
  return `{"batch":true,"events":[${events.map(({ text }) => text).join(',')}],"batchId":"batch_${++made}","batchTimestamp":"2026-01-15T10:31:30Z"}`
}

/** A genuine delivery, unless told otherwise. */
async function signed(body: string, options: Partial<SignInput> = {}): Promise<Sent> {
  return { body, headers: await sign({ body, secret: TEXT_SECRET, ...options }) }
}

/** The headers of a delivery with others instead; undefined takes one away. */
async function withHeaders(changes: Record<string, string | string[] | undefined>): Promise<Sent> {
  const { body, headers } = await signed(newEvent().text)
  const changed = Object.entries({ ...headers, ...changes }).filter(([, value]) => value !== undefined)
  return { body, headers: Object.fromEntries(changed) as Sent['headers'] }
}

/** UTF-8 as a header's value: Node takes each character for a byte. */
const utf8 = (text: string) => Buffer.from(text).toString('latin1')
const agoMs = (seconds: number) => Date.now() - seconds * 1000

/** Requests that no receiver may believe. Each is answered: a dropped connection is a receiver that threw. */
const REFUSED: Record<string, () => Promise<Sent>> = {
  'whose body was changed': async () => {
    const { body, headers } = await signed(newEvent().text)
    return { body: String(body).replace('2567.50', '2567.51'), headers }
  },
  'under another secret': () => signed(newEvent().text, { secret: 'another-secret-of-mine' }),
  'of an hour ago': () => signed(newEvent().text, { now: agoMs(3600) }),
  'of an hour ahead': () => signed(newEvent().text, { now: agoMs(-3600) }),
  'of an hour ago, dated now': () =>
    signed(newEvent().text, { now: agoMs(3600) }).then(({ body, headers }) => ({
      body,
      headers: { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) },
    })),
  'with another id': () => withHeaders({ 'webhook-id': 'evt_other' }),
  'whose time is not signed': () => signed(newEvent().text, { profile: 'bigledger' }),
  'that only a public key could check': async () => {
    const { secretKey } = await generateKeyPair()
    const { body, headers } = await signed(newEvent().text, { secretKey })
    const [, v1a = ''] = String(headers['webhook-signature']).split(' ')
    return { body, headers: { ...headers, 'webhook-signature': v1a } }
  },
  'without any header': async () => ({ body: newEvent().text, headers: {} }),
}

/** Values that a header may hold when a stranger writes it. */
const MALFORMED: Record<string, (string | string[] | undefined)[]> = {
  'webhook-signature': [
    ...[
      undefined,
      '',
      'v1',
      'v1,',
      'v1,AAAA',
      'v1,====',
      'v1,%%%%',
      'v2,AAAA',
      ', ,',
      'sha256=00',
      '*',
      '%s%n',
    ],
    ...[
      utf8('v1,é日本🧾'),
      'v1,\xff\xfe\x80',
      `v1,${'A'.repeat(3000)}`,
      'v1,A '.repeat(400),
      ['v1,AA', 'v1,BB'],
    ],
  ],
  'webhook-timestamp': [
    ...[
      undefined,
      '',
      'now',
      '-1',
      '1e9',
      '0x5f5e100',
      '1.5',
      'NaN',
      'Infinity',
      '08',
      '1 700',
      '+1700000000',
    ],
    ...['9'.repeat(16), '9'.repeat(3000), utf8('١٢٣'), '\xb2\xb2\xb2', ['1700000000', '1700000001']],
  ],
  'webhook-id': [undefined, '', '.', '../../etc/passwd', '$(id)', utf8('évt'), '\xff\xfe', 'e'.repeat(3000)],
}

/** Compilers take most of the time: programs that need none stand for the others here. */
const CHECKED = atFullCount(EXAMPLES, { short: EXAMPLES.filter(({ isQuick }) => isQuick) })

describe.each(CHECKED)('$file', (example) => {
  if (hasTools(example.tools)) checkReceiver(example)
})

function checkReceiver(example: Example): void {
  let receiver: ExampleProcess

  beforeAll(async () => {
    example.prepare?.(folder)
    receiver = await ExampleProcess.start(example, folder, { SECRET: TEXT_SECRET })
  }, 120_000)
  afterAll(async () => await receiver?.stop())

  const linesFor = (...events: { line: string }[]) =>
    receiver.work().filter((line) => events.some((event) => event.line === line))

  test('does the work of a delivery once, however often it comes', async () => {
    const event = newEvent()
    const delivery = await signed(event.text)
    expect([await receiver.post(delivery), await receiver.post(delivery)]).toEqual([200, 200])
    expect(await receiver.post(await signed(event.text, { now: agoMs(200) }))).toBe(200)
    expect(linesFor(event)).toEqual([event.line])
  })

  test('does the work of each event of a batch once, in its order', async () => {
    const events = [newEvent(), newEvent(), newEvent()]
    const delivery = await signed(batchOf(events))
    expect([await receiver.post(delivery), await receiver.post(delivery)]).toEqual([200, 200])
    expect(linesFor(...events)).toEqual(events.map(({ line }) => line))
    const later = [...events, newEvent()]
    expect(await receiver.post(await signed(batchOf(later)))).toBe(200)
    expect(linesFor(...later)).toEqual(later.map(({ line }) => line))
  })

  test('does with the next attempt what it could not do with the first', async () => {
    const events = [newEvent(), newEvent(), newEvent()]
    const [alone, ...others] = events
    const deliveries = [await signed(alone?.text ?? ''), await signed(batchOf(others))]
    for (const delivery of deliveries) {
      expect(await receiver.whileWorkFails(() => receiver.post(delivery))).toBe(500)
    }
    expect(linesFor(...events)).toEqual([])
    for (const delivery of deliveries) expect(await receiver.post(delivery)).toBe(200)
    expect(linesFor(...events)).toEqual(events.map(({ line }) => line))
  })

  test('takes either secret of a rotation', async () => {
    const event = newEvent()
    const rotated: [string, string][] = [
      [TEXT_SECRET, 'the-old-secret-of-mine'],
      ['the-new-secret-of-mine', TEXT_SECRET],
    ]
    for (const secret of rotated) {
      expect(await receiver.post(await signed(event.text, { secret }))).toBe(200)
    }
    expect(linesFor(event)).toEqual([event.line])
  })

  test.each(Object.keys(REFUSED))('refuses a delivery %s', async (name) => {
    const before = receiver.work()
    expect(await receiver.post((await REFUSED[name]?.()) as Sent)).toBe(401)
    expect(receiver.work()).toEqual(before)
  })

  test.each(Object.keys(MALFORMED))('answers 401 to whatever %s holds', async (header) => {
    const before = receiver.work()
    for (const value of MALFORMED[header] ?? []) {
      const status = await receiver.post(await withHeaders({ [header]: value }))
      expect(status, JSON.stringify(value)).toBe(401)
    }
    expect(receiver.work()).toEqual(before)
  })

  test('outlives a genuine body that it cannot read', async () => {
    for (const body of ['', 'text=not+json', '[]', 'null', '{"batch":true}', '{"batch":true,"events":[1]}']) {
      expect(await receiver.post(await signed(body)), body).toBeGreaterThanOrEqual(200)
    }
    const event = newEvent()
    expect(await receiver.post(await signed(event.text))).toBe(200)
    expect(linesFor(event)).toEqual([event.line])
  })

  test('takes a secret that is the base64 of a key', async () => {
    const second = await ExampleProcess.start(example, folder, { SECRET: BASE64_SECRET })
    try {
      const event = newEvent()
      expect(await second.post(await signed(event.text, { secret: BASE64_SECRET }))).toBe(200)
      expect(await second.post(await signed(newEvent().text))).toBe(401)
      expect(second.work()).toEqual([event.line])
    } finally {
      await second.stop()
    }
  })
}
