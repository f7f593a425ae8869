import { afterEach, describe, expect, test, vi } from 'vitest'
import { Posthorn, type PosthornError } from '../../../packages/client/src/index.ts'
import { invalid, Journal, ok, refused, type Seen, type StubAnswer, StubRelay } from './stub-relay.ts'

const event = (n: number, more: object = {}) => ({ event: 'order.created', data: { n }, ...more })
const eventsOf = ({ body }: Seen) => (JSON.parse(body) as { events: { data: { n: number } }[] }).events
const sizes = () => relay.seen.map((seen) => eventsOf(seen).length)

let relay: StubRelay
let journal: Journal
afterEach(async () => {
  vi.useRealTimers()
  await relay?.close()
})

async function start(answer?: (seen: Seen, no: number) => StubAnswer | Promise<StubAnswer> | null) {
  journal = new Journal()
  relay = await StubRelay.start(answer ?? ((seen) => journal.publish(seen)))
  return new Posthorn({ url: relay.url, key: 'k', retries: { firstDelayMs: 5, maxDelayMs: 20 } })
}

const many = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('pushes', () => {
  test('of one moment go in one request, and each gets its own result', async () => {
    const publisher = (await start()).publisher()
    const results = await Promise.all(many(50).map((n) => publisher.push(event(n, { id: `e-${n}` }))))
    expect(results.map(({ id }) => id)).toEqual(many(50).map((n) => `e-${n}`))
    expect(sizes()).toEqual([50])
  })

  test('are cut into requests by number and by bytes', async () => {
    const byNumber = (await start()).publisher({ maxEvents: 20 })
    await Promise.all(many(50).map((n) => byNumber.push(event(n))))
    expect(sizes()).toEqual([20, 20, 10])
    relay.seen.length = 0
    const byBytes = new Posthorn({ url: relay.url, key: 'k' }).publisher({ maxBytes: 3_000 })
    await Promise.all(many(4).map((n) => byBytes.push(event(n, { context: { text: 'ü'.repeat(600) } }))))
    expect(sizes()).toEqual([2, 2])
  })

  test('wait for company while two requests are on their way, and not for long', async () => {
    const gates: (() => void)[] = []
    const posthorn = await start(async (seen) => {
      await new Promise<void>((open) => gates.push(open))
      return journal.publish(seen)
    })
    const publisher = posthorn.publisher({ flushAfterMs: 50 })
    const pushes: Promise<unknown>[] = []
    const push = (n: number) => void pushes.push(publisher.push(event(n)))
    for (const n of [0, 1]) {
      push(n)
      await expect.poll(() => relay.seen.length).toBe(n + 1)
    }
    push(2)
    await new Promise((resolve) => setImmediate(resolve))
    push(3)
    await expect.poll(() => relay.seen.length).toBe(3)
    expect(sizes()).toEqual([1, 1, 2])
    for (const open of gates) open()
    await Promise.all(pushes)
  })

  test('of producers that await each of theirs go in two requests that take turns', async () => {
    const publisher = (await start()).publisher()
    let inFlight = 0
    let most = 0
    relay.answer = async (seen) => {
      most = Math.max(most, ++inFlight)
      await new Promise((resolve) => setTimeout(resolve, 5))
      inFlight--
      return journal.publish(seen)
    }
    let next = 0
    const producer = async () => {
      while (next < 640) await publisher.push(event(next++))
    }
    await Promise.all(Array.from({ length: 64 }, producer))
    expect(journal.accepted).toHaveLength(640)
    expect(most).toBe(2)
    expect(sizes()[0]).toBe(64)
    expect(Math.max(...sizes().slice(1))).toBeLessThanOrEqual(32)
  })

  test('of events that are refused are rejected, and sink no others', async () => {
    const posthorn = await start((seen) => {
      const events = eventsOf(seen).map(({ data: { n } }) =>
        n === 1
          ? { status: 'rejected', error: { code: 'conflict', message: 'id was already used', details: [] } }
          : { id: `evt_${n}`, status: 'accepted', matched: 0 },
      )
      return { status: 202, json: { success: true, data: { events } } }
    })
    const publisher = posthorn.publisher()
    const outcomes = await Promise.allSettled(many(3).map((n) => publisher.push(event(n))))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'conflict' })
  })

  test('of a request that is refused for one of them are halved until the others are accepted', async () => {
    const posthorn = await start((seen) =>
      eventsOf(seen).some(({ data: { n } }) => n === 5)
        ? refused(413, 'payload_too_large')
        : journal.publish(seen),
    )
    const publisher = posthorn.publisher()
    const outcomes = await Promise.allSettled(many(8).map((n) => publisher.push(event(n))))
    expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([5])
    expect(journal.accepted).toHaveLength(7)
  })

  test.each(['X-Company-Id', 'Idempotency-Key'])(
    'of a request whose head is wrong are not halved: %s',
    async (path) => {
      const publisher = (await start(() => invalid(path))).publisher()
      const outcomes = await Promise.allSettled(many(8).map((n) => publisher.push(event(n))))
      const reason = expect.objectContaining({
        code: 'invalid_request',
        details: [expect.objectContaining({ path })],
      })
      expect(outcomes).toEqual(many(8).map(() => ({ status: 'rejected', reason })))
      expect(sizes()).toEqual([8])
    },
  )

  test('are not said to be closed where an answer cannot be read', async () => {
    const publisher = (await start(() => ok(null))).publisher()
    await expect(publisher.push(event(1))).rejects.toBeInstanceOf(TypeError)
  })

  test('above a limit are made again, the others are not', async () => {
    const posthorn = await start((seen, no) => {
      const events = eventsOf(seen).map(({ data: { n } }) =>
        no === 1 && n > 0
          ? { status: 'rejected', error: { code: 'rate_limited', message: 'limit' } }
          : { id: `evt_${n}`, status: 'accepted', matched: 0 },
      )
      return { status: 202, json: { success: true, data: { events } } }
    })
    const publisher = posthorn.publisher()
    const results = await Promise.all(many(3).map((n) => publisher.push(event(n))))
    expect(results.map(({ id }) => id)).toEqual(['evt_0', 'evt_1', 'evt_2'])
    expect(sizes()).toEqual([3, 2])
  })

  test('keep their order with one request at a time', async () => {
    const publisher = (await start()).publisher({ maxInFlight: 1, maxEvents: 7 })
    await Promise.all(many(60).map((n) => publisher.push(event(n, { id: `e-${n}` }))))
    expect(journal.accepted).toEqual(many(60).map((n) => `e-${n}`))
  })

  test('of what no event can be are rejected', async () => {
    const publisher = (await start()).publisher()
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    for (const wrong of [
      { event: '', data: {} },
      { event: 'a.b', data: [] },
      { event: 'a.b', data: circular },
    ]) {
      await expect(publisher.push(wrong)).rejects.toBeInstanceOf(TypeError)
    }
    expect(publisher.held).toBe(0)
  })
})

describe('a relay that answers 503 for five seconds', () => {
  test('loses nothing, and memory is bounded', async () => {
    const posthorn = await start()
    const endsAtMs = Date.now() + 5_000
    relay.answer = (seen) => (Date.now() < endsAtMs ? refused(503, 'unavailable') : journal.publish(seen))
    const publisher = posthorn.publisher({ maxHeldEvents: 200, maxEvents: 50 })
    let next = 0
    let most = 0
    const producer = async () => {
      while (next < 2_000) {
        const n = next++
        const pushing = publisher.push(event(n, { id: `e-${n}` }))
        most = Math.max(most, publisher.held)
        await pushing
      }
    }
    await Promise.all(Array.from({ length: 300 }, producer))
    expect(most).toBe(200)
    expect(journal.accepted.toSorted()).toEqual(
      many(2_000)
        .map((n) => `e-${n}`)
        .toSorted(),
    )
    expect(publisher.held).toBe(0)
  })

  test('and that loses the answer of what it accepted, doubles nothing', async () => {
    const posthorn = await start()
    relay.answer = (seen, no) => {
      const answer = journal.publish(seen)
      return no % 2 === 1 ? null : answer
    }
    const publisher = posthorn.publisher({ maxEvents: 10 })
    await Promise.all(many(100).map((n) => publisher.push(event(n))))
    expect(journal.accepted).toHaveLength(100)
  })
})

describe('a full publisher', () => {
  test('lets pushes wait, and refuses those beyond as many again', async () => {
    const gates: (() => void)[] = []
    const posthorn = await start(async (seen) => {
      await new Promise<void>((open) => gates.push(open))
      return journal.publish(seen)
    })
    const publisher = posthorn.publisher({ maxHeldEvents: 3 })
    const pushes = many(7).map((n) => publisher.push(event(n)))
    await expect(pushes[6]).rejects.toMatchObject({ code: 'buffer_full' })
    const ready = vi.fn()
    const waiting = publisher.ready().then(ready)
    await expect.poll(() => gates.length).toBe(1)
    expect([publisher.held, ready.mock.calls.length]).toEqual([3, 0])
    relay.answer = (seen) => journal.publish(seen)
    gates[0]?.()
    await Promise.all([...pushes.slice(0, 6), waiting])
    expect(journal.accepted).toHaveLength(6)
  })

  test('takes an event that is larger than all its room, alone', async () => {
    const publisher = (await start()).publisher({ maxHeldBytes: 100, maxBytes: 100 })
    const large = (n: number) => event(n, { context: { text: 'x'.repeat(500) } })
    const pushes = many(2).map((n) => publisher.push(large(n)))
    await publisher.ready()
    await Promise.all([...pushes, publisher.push(large(2))])
    expect(sizes()).toEqual([1, 1, 1])
  })

  test('lets as many bytes wait as it may hold', async () => {
    const publisher = (await start()).publisher({ maxHeldBytes: 1_500 })
    const pushes = many(7).map((n) => publisher.push(event(n, { context: { text: 'x'.repeat(400) } })))
    const outcomes = await Promise.allSettled(pushes)
    expect(outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([6])
    expect((outcomes[6] as PromiseRejectedResult).reason).toMatchObject({ code: 'buffer_full' })
    await publisher.push(event(7))
    expect(journal.accepted).toHaveLength(7)
  })

  test('refuses no push for those who only ask for room', async () => {
    const publisher = (await start()).publisher({ maxHeldEvents: 2 })
    const held = many(2).map((n) => publisher.push(event(n)))
    const asking = many(5).map(() => publisher.ready())
    await Promise.all([...held, ...asking, publisher.push(event(2)), publisher.push(event(3))])
    expect(journal.accepted).toHaveLength(4)
    expect(publisher.held).toBe(0)
  })
})

describe('a close', () => {
  test('with a time limit that no timer keeps is refused', async () => {
    const publisher = (await start()).publisher()
    await expect(publisher.close({ timeoutMs: Number.POSITIVE_INFINITY })).rejects.toThrow(/^timeoutMs must/)
    await publisher.push(event(1))
  })

  test('sends what is held, and takes nothing more', async () => {
    const publisher = (await start()).publisher({ maxHeldEvents: 10, flushAfterMs: 60_000, maxEvents: 4 })
    const pushes = Promise.all(many(15).map((n) => publisher.push(event(n))))
    await publisher.close()
    expect(publisher.held).toBe(0)
    expect(await pushes).toHaveLength(15)
    await expect(publisher.push(event(99))).rejects.toMatchObject({ code: 'closed' })
  })

  test('with a time limit gives up what has no answer by then', async () => {
    const posthorn = await start(() => refused(503, 'unavailable', { 'Retry-After': '30' }))
    const publisher = posthorn.publisher()
    const push = publisher.push(event(1)).catch((error: PosthornError) => error)
    await publisher.close({ timeoutMs: 50 })
    expect(await push).toMatchObject({ code: 'closed', message: expect.stringMatching(/may or may not/) })
  })
})

test('a publisher gives an event up with the last error', async () => {
  const posthorn = await start(() => refused(503, 'unavailable'))
  const publisher = posthorn.publisher({ giveUpAfterMs: 500 })
  await expect(publisher.push(event(1))).rejects.toMatchObject({ code: 'unavailable' })
  expect(relay.seen.length).toBeGreaterThan(1)
})

test.each([
  ['maxEvents', { maxEvents: 0 }],
  ['maxEvents', { maxEvents: 1_001 }],
  ['flushAfterMs', { flushAfterMs: -1 }],
  ['flushAfterMs must be 0-', { flushAfterMs: Number.POSITIVE_INFINITY }],
  ['often', { often: 1 } as object],
])('an option that cannot be right is told: %s', async (name, wrong) => {
  const posthorn = await start()
  expect(() => posthorn.publisher(wrong)).toThrow(new RegExp(name))
})
