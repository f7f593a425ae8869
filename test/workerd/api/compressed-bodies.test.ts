import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { REQUEST_BYTES_MAX } from '../../../src/model/event.ts'
import { type Answer, Client, expectRefusal } from '../../support/process/http-client.ts'
import { receivers } from '../../support/receivers/receivers.ts'

const GZIP = { 'Content-Encoding': 'gzip' }
const EVENT = '{"event":"log.line","data":{"text":"é 日本 🧾","total":2567.50}}'

let client: Client
beforeAll(() => {
  client = new Client()
})

/** What a sender compresses. */
async function gzip(text: string | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(compressed).arrayBuffer())
}

/** A body whose length is not announced. */
function inChunks(bytes: Uint8Array<ArrayBuffer>, size: number): ReadableStream {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}

function publish(body: BodyInit, headers: Record<string, string> = GZIP): Promise<Answer> {
  return client.call('POST', '/events', { body, headers })
}

function expectDamaged(answer: Answer): void {
  expectRefusal(answer, 400, 'invalid_request')
  expect(answer.error.details).toEqual([{ path: 'body', message: 'is no gzip, or not the whole of it' }])
}

describe('a body in gzip', () => {
  test.each(['gzip', 'GZIP', 'x-gzip'])(
    'is taken as %s, and its text is delivered to the digit',
    async (name) => {
      await client.subscribe({ url: receivers.url(), events: ['log.line'] })
      const answer = await publish(await gzip(EVENT), { 'Content-Encoding': name })
      expect(answer.status, answer.text).toBe(202)
      const shown = await client.get(`/events/${answer.data['id']}`)
      expect(shown.data['payload']).toContain('"data":{"text":"é 日本 🧾","total":2567.50}')
    },
  )

  test('is taken in chunks of any size', async () => {
    for (const size of [1, 7, 4_096]) {
      expect((await publish(inChunks(await gzip(EVENT), size))).status).toBe(202)
    }
  })

  test('is taken by every call that has a body', async () => {
    const settings = JSON.stringify({ url: receivers.url(), events: ['*'] })
    const made = await client.call('POST', '/webhooks/subscribe', {
      body: await gzip(settings),
      headers: GZIP,
    })
    expect(made.status, made.text).toBe(201)
    const path = `/webhooks/${made.data['id']}`
    const body = await gzip('{"description":"zipped"}')
    expect((await client.call('PUT', path, { body, headers: GZIP })).data).toMatchObject({
      description: 'zipped',
    })
  })

  test('holds whatever was compressed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 3_000 }),
        fc.integer({ min: 1, max: 999 }),
        async (text, size) => {
          const event = { id: crypto.randomUUID(), event: 'any.text', data: { text: text.toWellFormed() } }
          const sent = await gzip(JSON.stringify(event))
          const answer = await publish(inChunks(sent, size))
          expect(answer.status, answer.text).toBe(202)
          const { data } = await client.get<{ payload: string }>(`/events/${event.id}`)
          expect(JSON.parse(data.payload)).toMatchObject({ data: event.data })
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('bytes that were decompressed are counted', () => {
  const textOf = (bytes: number) => {
    const [head, tail] = ['{"event":"big.one","data":{"t":"', '"}}']
    return head + 'x'.repeat(bytes - head.length - tail.length) + tail
  }
  const message = `must be at most ${REQUEST_BYTES_MAX.toLocaleString('en-US')} bytes`

  test('up to the limit they are taken', async () => {
    expect((await publish(await gzip(textOf(REQUEST_BYTES_MAX)))).status).toBe(202)
  })

  test.each([REQUEST_BYTES_MAX + 1, 100_000_000])('%i of them are too many', async (bytes) => {
    const bomb = await gzip(textOf(bytes))
    expect(bomb.length).toBeLessThan(REQUEST_BYTES_MAX)
    for (const body of [bomb, inChunks(bomb, 65_536)]) {
      const answer = await publish(body)
      expectRefusal(answer, 413, 'payload_too_large')
      expect(answer.error.details).toEqual([{ path: 'body', message }])
    }
  })
})

describe('what is no whole gzip is refused as such', () => {
  test('at whichever byte it ends', async () => {
    const whole = await gzip(EVENT)
    for (let length = 1; length < whole.length; length += 3) {
      expectDamaged(await publish(whole.slice(0, length)))
    }
  })

  test('with bytes behind its end', async () => {
    const whole = await gzip(EVENT)
    expectDamaged(await publish(new Uint8Array([...whole, ...whole])))
    expectDamaged(await publish(new Uint8Array([...whole, 0])))
  })

  test('with a bit that was changed', async () => {
    const whole = await gzip(EVENT)
    for (const at of [0, 1, 2, whole.length - 1, whole.length - 6]) {
      const changed = whole.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expectDamaged(await publish(changed))
    }
  })

  test('where it is plain JSON', async () => {
    expectDamaged(await publish(EVENT))
  })

  test('and JSON in it that is none is refused as JSON', async () => {
    const answer = await publish(await gzip('{"event":'))
    expectRefusal(answer, 400, 'invalid_request')
    expect(answer.error.message).toContain('it ends too early')
  })
})
