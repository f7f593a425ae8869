import { env, exports } from 'cloudflare:workers'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { STATE } from '../../../src/store/states.sql.ts'
import { markListened } from '../../../src/stream/listened.sql.ts'
import type { TellCall } from '../../../src/stream/message.ts'
import { RECHECK_MS, TELL_MS } from '../../../src/stream/terms.ts'
import { ADMIN_KEY, Client, expectRefusal } from '../../support/process/http-client.ts'
import { clientWith } from '../../support/process/keys.ts'
import { receivers } from '../../support/receivers/receivers.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { meterD1 } from '../../support/rig/d1-watch.ts'

type Message = { deliveryId: string; webhookId: string; status: string; attempt: { attempt: number } | null }

/** A stream of a workspace, as a browser reads it. */
class Stream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  text = ''
  isOver = false

  constructor(response: Response) {
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader()
    void this.#read()
  }

  static async open(
    { workspace }: Client,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<Stream> {
    const request = new Request(`https://relay.example.com/v1/stream${query}`, {
      headers: { Authorization: `Bearer ${ADMIN_KEY}`, 'X-Company-Id': workspace, ...headers },
    })
    const response = await exports.default.fetch(request)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const stream = new Stream(response)
    await stream.until(/event: ready/)
    return stream
  }

  get messages(): Message[] {
    return [...this.text.matchAll(/event: (?:attempt|delivery)\ndata: (.*)\n/g)].map(([, data]) =>
      JSON.parse(String(data)),
    )
  }

  get lastId(): string {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? ''
  }

  async until(pattern: RegExp): Promise<void> {
    await vi.waitUntil(() => pattern.test(this.text), { timeout: 5_000, interval: 10 })
  }

  async close(): Promise<void> {
    await this.#reader.cancel()
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    try {
      while (true) {
        const { done, value } = await this.#reader.read()
        if (done) break
        this.text += decoder.decode(value)
      }
    } catch {
      // Closed here, or cut off there.
    }
    this.isOver = true
  }
}

beforeEach(freshStore)

describe('GET /stream', () => {
  test('shows attempts as they happen, to all who listen', async () => {
    const client = new Client()
    const url = receivers.url({ status: 500 }, { status: 200 })
    const { id } = await client.subscribe({ url, retryPolicy: { schedule: [3600] } })
    const streams = [await Stream.open(client), await Stream.open(client, `?webhook=${id}&event=invoice.*`)]
    await client.publish({ event: 'invoice.paid', data: {} })
    for (const stream of streams) await stream.until(/event: attempt/)
    const [message] = streams[0]?.messages ?? []
    expect(message).toMatchObject({
      webhookId: id,
      event: 'invoice.paid',
      status: 'failed',
      nextRetryAt: expect.any(String),
      attempt: { attempt: 1, responseCode: 500, error: 'http_status' },
    })
    expect(streams[1]?.messages).toEqual([message])
    // What a stream shows can be read at once.
    const { data } = await client.get<{ status: string }>(`/deliveries/${message?.deliveryId}`)
    expect(data.status).toBe('failed')
    await client.post(`/deliveries/${message?.deliveryId}/retry`)
    await streams[0]?.until(/"status":"success"/)
    for (const stream of streams) await stream.close()
  })

  test('shows nothing of other workspaces', async () => {
    const [client, other] = [new Client(), new Client()]
    const stream = await Stream.open(client)
    const others = await Stream.open(other)
    for (const each of [client, other]) {
      await each.subscribe({ url: receivers.url() })
      await each.publish({ event: 'a', data: {} })
    }
    await stream.until(/event: attempt/)
    await others.until(/event: attempt/)
    expect([stream.messages.length, others.messages.length]).toEqual([1, 1])
    expect(stream.messages[0]?.webhookId).not.toBe(others.messages[0]?.webhookId)
    await stream.close()
    await others.close()
  })

  test('goes on where it was, by Last-Event-ID, with what has happened meanwhile', async () => {
    const client = new Client()
    const url = receivers.url()
    await client.subscribe({ url })
    const first = await Stream.open(client)
    await client.publish({ event: 'a', data: {} })
    await first.until(/event: attempt/)
    await first.close()
    await client.publish({ event: 'b', data: {} })
    await client.publish({ event: 'c', data: {} })
    await vi.waitUntil(() => receivers.received(url).length === 3, { timeout: 5_000, interval: 10 })
    const second = await Stream.open(client, '', { 'Last-Event-ID': first.lastId })
    await vi.waitUntil(() => second.messages.length === 2, { timeout: 5_000, interval: 10 })
    expect(second.text).not.toContain('event: gap')
    await second.close()
  })

  test.each([
    ['an unknown subscription', '?webhook=webhook_x', 404],
    ['a state that is none', '?status=done', 400],
    ['a pattern that is none', '?event=a..b', 400],
  ])('refuses %s', async (_, query, status) => {
    expect((await new Client().get(`/stream${query}`)).status).toBe(status)
  })

  test('needs deliveries:read', async () => {
    const client = new Client()
    const publisher = await clientWith(client, { role: 'publisher' })
    expectRefusal(await publisher.get('/stream'), 403, 'forbidden')
  })
})

describe('a stream', () => {
  test('ends when its key is revoked, and says why', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const owner = new Client()
      const viewer = await clientWith(owner, { role: 'viewer' })
      const stream = await Stream.open(owner, '', { Authorization: `Bearer ${viewer.shown.key}` })
      await vi.advanceTimersByTimeAsync(RECHECK_MS)
      expect(stream.isOver).toBe(false)
      expect((await owner.call('DELETE', `/keys/${viewer.shown.id}`)).status).toBe(200)
      await vi.advanceTimersByTimeAsync(RECHECK_MS)
      vi.useRealTimers()
      await vi.waitUntil(() => stream.isOver, { timeout: 5_000, interval: 10 })
      expect(stream.text).toMatch(/event: end\ndata: {"reason":"credential"}\n\n$/)
    } finally {
      vi.useRealTimers()
    }
  })

  test('costs a row in each half minute while it is open, however many there are', async () => {
    const { workspace } = await createRig()
    const { db, meter } = meterD1(env.DB)
    const looks = [0, 0, 15_000, 15_000, 29_999, 30_001, 45_000]
    for (const nowMs of looks) await markListened(db, workspace, { nowMs: 1e12 + nowMs, forMs: TELL_MS })
    expect(meter.rowsWritten).toBe(2)
  })

  test('costs consumers nothing where nobody listens, and a call for each part where somebody does', async () => {
    const rig = await createRig({ bindings: { STREAMS: countingHubs() } })
    const subscription = await rig.subscribe()
    for (let n = 0; n < 20; n++) await rig.publish({})
    await rig.drain()
    expect(calls).toEqual([])
    await markListened(env.DB, rig.workspace, { nowMs: rig.clock.nowMs, forMs: TELL_MS })
    for (let n = 0; n < 20; n++) await rig.publish({})
    await rig.drain()
    expect(calls.flat()).toHaveLength(20)
    expect(calls.length).toBeLessThan(20)
    expect(calls.flat()[0]).toMatchObject({ webhookId: subscription.id, status: 'success' })
    rig.clock.nowMs += TELL_MS
    await rig.publish({})
    await rig.drain()
    expect(calls.flat()).toHaveLength(20)
  })

  test('that cannot be told of keeps no outcome from being written', async () => {
    const tell = () => Promise.reject(new Error('the hub is broken'))
    const rig = await createRig({ bindings: { STREAMS: { getByName: () => ({ tell }) } } })
    await rig.subscribe()
    await markListened(env.DB, rig.workspace, { nowMs: rig.clock.nowMs, forMs: TELL_MS })
    await rig.publish({})
    await rig.drain()
    expect((await rig.deliveries()).map(({ state }) => state)).toEqual([STATE.success])
    expect(rig.logged.map(({ event }) => event)).toContain('stream.untold')
  })
})

const calls: Message[][] = []

function countingHubs() {
  calls.length = 0
  const tell = async (call: TellCall) => {
    calls.push(call.messages.map(({ shown }) => shown))
  }
  return { getByName: () => ({ tell }) }
}
