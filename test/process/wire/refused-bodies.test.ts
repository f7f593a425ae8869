import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { atFullCount } from '../../support/full-count.ts'
import { ownRelay } from '../../support/process/own-relay.ts'

const BODY_BYTES = 12_000_000
/** One broken answer in ten was the least that clients saw. */
const TRIES = atFullCount(20, { short: 4 })
/** What twenty bodies of the largest size may take, and far below one that was decompressed. */
const GROWTH_BYTES_MAX = 700_000_000

const stage = ownRelay('refused')
const agent = new Agent({ keepAlive: true })

afterAll(() => agent.destroy())

describe('a client that sends all of a refused body before it reads sees the answer', () => {
  it.each([
    [413, 'too many bytes', '/api/v1/events', {}],
    [401, 'a wrong key', '/api/v1/events', { Authorization: 'Bearer not_the_key' }],
    [415, 'another type', '/api/v1/events', { 'Content-Type': 'text/plain' }],
    [404, 'no such call', '/api/v1/nothing', {}],
  ] as const)('%i for %s', async (status, _, url, headers) => {
    for (let i = 0; i < TRIES; i++) {
      expect(await post(url, Buffer.alloc(BODY_BYTES, 32), headers)).toMatchObject({ status })
    }
  })

  it('413 for chunks without an announced length', async () => {
    const headers = { 'Transfer-Encoding': 'chunked' }
    for (let i = 0; i < TRIES; i++) {
      expect(await post('/api/v1/events', Buffer.alloc(BODY_BYTES, 32), headers)).toMatchObject({
        status: 413,
      })
    }
  })
})

it('ends the connection of a stranger who sends without end', async () => {
  const head = `POST /api/v1/events HTTP/1.1\r\nHost: ${new URL(stage.relay.url).host}\r\nContent-Length: 12000000\r\n\r\n`
  const startedAtMs = Date.now()
  expect(await exchange(`${head}{`)).toMatch(/^HTTP\/1\.1 401 /)
  expect(Date.now() - startedAtMs).toBeLessThan(8_000)
})

describe('a body in gzip', () => {
  const GZIP = { 'Content-Encoding': 'gzip' }

  it('is taken, and one that is a gigabyte of JSON costs no memory', async () => {
    expect(await post('/api/v1/events', gzipSync('{"event":"a.b","data":{}}'), GZIP)).toMatchObject({
      status: 202,
    })
    const { relay } = stage
    const before = relay.workerdMemory('VmRSS')
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/api/v1/events', bomb(), GZIP)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 413))
    expect(relay.workerdMemory('VmHWM') - before).toBeLessThan(GROWTH_BYTES_MAX)
  })

  it('is refused by the name of its encoding where it is another one', async () => {
    const { status, text } = await post('/api/v1/events', Buffer.from('{}'), { 'Content-Encoding': 'br' })
    expect([status, JSON.parse(text)]).toMatchObject([
      415,
      { error: { code: 'unsupported_media_type', details: [{ path: 'Content-Encoding' }] } },
    ])
  })
})

/** A gigabyte of spaces in a megabyte: one deflate block of 16 MB, sixty-four times. */
function bomb(): Buffer {
  const block = deflateRawSync(Buffer.alloc(16_777_216, ' '), { finishFlush: constants.Z_FULL_FLUSH })
  const start = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)
  return Buffer.concat([start, ...Array.from({ length: 64 }, () => block)])
}

it.each([
  ['two hosts', 'Host: a.example\r\nHost: b.example\r\n'],
  ['a host with a space', 'Host: a b\r\n'],
  ['a host with a quote', 'Host: a"b<\r\n'],
])('%s are refused with 400', async (_, hosts) => {
  for (const url of ['/healthz', '/openapi.json', '/api/v1/webhooks']) {
    expect(await exchange(`GET ${url} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    )
  }
})

async function post(
  url: string,
  body: Buffer,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const { relay } = stage
  const sent = request(new URL(url, relay.url), {
    method: 'POST',
    agent,
    headers: {
      Authorization: `Bearer ${relay.adminKey}`,
      'Content-Type': 'application/json',
      ...(headers['Transfer-Encoding'] === undefined && { 'Content-Length': body.length }),
      ...headers,
    },
  })
  sent.on('error', reject)
  sent.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, text }))
  })
  sent.end(body)
  return await promise
}

/** Sends bytes as they stand and answers all that comes back until the connection is closed or silent. */
async function exchange(bytes: string): Promise<string> {
  const { hostname, port } = new URL(stage.relay.url)
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const socket = connect(Number(port), hostname, () => socket.write(bytes))
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.includes('\r\n\r\n')) socket.destroy()
  })
  socket.on('error', () => undefined).on('close', () => resolve(text))
  return await promise
}
