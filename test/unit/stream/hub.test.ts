import { describe, expect, test } from 'vitest'
import type { StreamFilter } from '../../../src/stream/filter.ts'
import { Hub, LISTENERS_MAX } from '../../../src/stream/hub/hub.ts'
import type { StreamMessage } from '../../../src/stream/message.ts'

const ALL: StreamFilter = { webhookId: null, statuses: null, event: null, metadata: null }
const MINUTE_MS = 60_000

function message(n: number, shown: Partial<StreamMessage['shown']> = {}, metadata = {}): StreamMessage {
  const names = { deliveryId: `log_${n}`, webhookId: 'webhook_a', eventId: `evt_${n}`, event: 'invoice.paid' }
  const rest = {
    status: 'success',
    reason: null,
    test: false,
    batchId: null,
    at: '',
    nextRetryAt: null,
  } as const
  const attempt = { id: `attempt_${n}`, attempt: 1, responseCode: 200, responseTime: 5, error: null }
  return { shown: { ...names, ...rest, attempt, ...shown }, metadata }
}

const told = (...messages: StreamMessage[]) => ({ v: 1 as const, messages, omitted: 0 })

type Event = { id: string | undefined; event: string; data: string }

/** Reads what is there, without waiting for more. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  /** A read that nothing has come for yet. */
  #pending: ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> | null = null

  constructor(body: ReadableStream<Uint8Array> | null) {
    if (body === null) throw new Error('there is no stream')
    this.#reader = body.getReader()
  }

  /** The text that is there now; rejects when the stream was cut off. */
  async text(): Promise<string> {
    let text = ''
    while (true) {
      this.#pending ??= this.#reader.read()
      const next = await Promise.race([this.#pending, later()])
      if (next === null) return text
      this.#pending = null
      if (next.done) return text
      text += this.#decoder.decode(next.value)
    }
  }

  async events(): Promise<Event[]> {
    const blocks = (await this.text()).split('\n\n').filter((block) => block.includes('event:'))
    return blocks.map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      return { id: field('id'), event: field('event') ?? '', data: field('data') ?? '' }
    })
  }

  cancel = () => this.#reader.cancel()
}

/** Reads that come in the same turn are there; this is after them. */
const later = () => new Promise<null>((resolve) => setImmediate(() => resolve(null)))

const idsOf = (events: Event[]) =>
  events.filter(({ event }) => event === 'attempt').map(({ data }) => JSON.parse(data).deliveryId)

describe('a hub', () => {
  test('hands each message on to all who want it, under ids of its own', async () => {
    const hub = new Hub('e1')
    const readers = ['a', 'b'].map((id) => new Reader(hub.listen({ id, filter: ALL, lastEventId: null }, 0)))
    hub.tell(told(message(1), message(2)))
    for (const reader of readers) {
      const events = await reader.events()
      expect(events.map(({ id, event }) => [id, event])).toEqual([
        ['e1.0', 'ready'],
        ['e1.1', 'attempt'],
        ['e1.2', 'attempt'],
      ])
    }
  })

  test.each<[string, Partial<StreamFilter>, number[]]>([
    ['all', {}, [1, 2, 3, 4]],
    ['one subscription', { webhookId: 'webhook_b' }, [2]],
    ['some states', { statuses: ['failed', 'skipped'] }, [3, 4]],
    ['a type', { event: 'invoice.paid' }, [1, 2, 3]],
    ['a pattern of types', { event: 'order.*' }, [4]],
    ['all types', { event: '*' }, [1, 2, 3, 4]],
    ['those it is bound to', { metadata: { customer: 'acme' } }, [2, 3]],
    ['nothing that exists', { metadata: { constructor: 'x' } }, []],
  ])('lets a listener see %s', async (_, filter, numbers) => {
    const hub = new Hub('e1')
    const reader = new Reader(hub.listen({ id: 'a', filter: { ...ALL, ...filter }, lastEventId: null }, 0))
    hub.tell(
      told(
        message(1),
        message(2, { webhookId: 'webhook_b' }, { customer: 'acme', plan: 'pro' }),
        message(3, { status: 'failed' }, { customer: 'acme' }),
        message(4, { status: 'skipped', event: 'order.created' }, { customer: 'other' }),
      ),
    )
    expect(idsOf(await reader.events())).toEqual(numbers.map((n) => `log_${n}`))
  })

  test('goes on for one who comes back where they were, without a gap and without a double', async () => {
    const hub = new Hub('e1')
    for (let n = 1; n <= 50; n++) hub.tell(told(message(n)))
    const reader = new Reader(hub.listen({ id: 'a', filter: ALL, lastEventId: 'e1.20' }, 0))
    hub.tell(told(message(51)))
    const events = await reader.events()
    expect(idsOf(events)).toEqual(Array.from({ length: 31 }, (_, n) => `log_${n + 21}`))
    expect(events.map(({ event }) => event)).not.toContain('gap')
  })

  test.each([
    ['another life of the hub', 'e0.5'],
    ['before what is kept', 'e1.3'],
    ['the future', 'e1.99999'],
    ['no id', 'x'],
  ])('tells one who comes back from %s that messages are missing', async (_, lastEventId) => {
    const hub = new Hub('e1')
    for (let n = 1; n <= 1_200; n++) hub.tell(told(message(n)))
    const reader = new Reader(hub.listen({ id: 'a', filter: ALL, lastEventId }, 0))
    expect((await reader.events()).map(({ id, event }) => [id, event])).toEqual([
      ['e1.1200', 'ready'],
      ['e1.1200', 'gap'],
    ])
  })

  test.each([
    ['short', 'invoice.paid'],
    ['in letters of several bytes', 'Größe'.repeat(20)],
    ['long', 'x'.repeat(2_000)],
  ])('hands all that it keeps to one who comes back, of messages that are %s', async (_, event) => {
    const hub = new Hub('e1')
    for (let n = 1; n <= 900; n++) hub.tell(told(message(n, { event })))
    // From the oldest place that is not beyond what is kept.
    for (let n = 0; ; n++) {
      const reader = new Reader(hub.listen({ id: 'a', filter: ALL, lastEventId: `e1.${n}` }, 0))
      const events = await reader.events()
      await reader.cancel()
      if (events.some((each) => each.event === 'gap')) continue
      expect(idsOf(events)).toHaveLength(900 - n)
      expect(900 - n).toBeGreaterThan(20)
      return
    }
  })

  test('tells of messages that were left out, also one who comes back later', async () => {
    const hub = new Hub('e1')
    const reader = new Reader(hub.listen({ id: 'a', filter: ALL, lastEventId: null }, 0))
    hub.tell({ v: 1, messages: [message(1)], omitted: 7 })
    expect((await reader.events()).map(({ id, event }) => [id, event]).slice(1)).toEqual([
      ['e1.1', 'attempt'],
      ['e1.8', 'gap'],
    ])
    const back = new Reader(hub.listen({ id: 'b', filter: ALL, lastEventId: 'e1.1' }, 0))
    expect((await back.events()).map(({ event }) => event)).toContain('gap')
  })

  test('cuts off one who does not read, and keeps nothing for them', async () => {
    const hub = new Hub('e1')
    const slow = hub.listen({ id: 'slow', filter: ALL, lastEventId: null }, 0)
    const fast = new Reader(hub.listen({ id: 'fast', filter: ALL, lastEventId: null }, 0))
    const long = 'x'.repeat(100_000)
    for (let n = 1; n <= 5; n++) {
      hub.tell(told(message(n, { eventId: long })))
      expect(idsOf(await fast.events())).toEqual([`log_${n}`])
    }
    expect(hub.size).toBe(1)
    await expect(new Reader(slow).text()).rejects.toThrow(/too slow/)
  })

  test('has so many listeners at most, and a place again when one has gone', async () => {
    const hub = new Hub('e1')
    const open = (id: string) => hub.listen({ id, filter: ALL, lastEventId: null }, 0)
    const [first] = Array.from({ length: LISTENERS_MAX }, (_, n) => open(`a${n}`))
    expect(open('one more')).toBeNull()
    await new Reader(first ?? null).cancel()
    expect(open('one more')).not.toBeNull()
  })

  test('has a place again when a listener was cut off', async () => {
    const hub = new Hub('e1')
    const open = (id: string, lastEventId: string | null) => hub.listen({ id, filter: ALL, lastEventId }, 0)
    for (let n = 0; n < LISTENERS_MAX; n++) open(`a${n}`, null)
    hub.tell(told(message(1, { eventId: 'x'.repeat(300_000) })))
    expect(open('one more', null)).not.toBeNull()
  })

  test('keeps streams alive, and ends each with its reason', async () => {
    const hub = new Hub('e1')
    const old = new Reader(hub.listen({ id: 'old', filter: ALL, lastEventId: null }, 0))
    const revoked = new Reader(hub.listen({ id: 'revoked', filter: ALL, lastEventId: null }, MINUTE_MS))
    hub.beat(5 * MINUTE_MS, 5 * MINUTE_MS)
    hub.end('revoked', 'credential')
    expect((await old.events()).at(-1)).toMatchObject({ event: 'end', data: '{"reason":"lifetime"}' })
    const text = await revoked.text()
    expect(text).toContain('\n\n: \n\n')
    expect(text).toMatch(/event: end\ndata: {"reason":"credential"}\n\n$/)
    expect(hub.size).toBe(0)
  })
})
