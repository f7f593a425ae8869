import { describe, expect, test } from 'vitest'
import { Drain } from '../../../../src/base/concurrency/drain.ts'
import { KeptConnections } from '../../../../src/deliver/attempt/http/kept-connections.ts'
import { type PostResult, post } from '../../../../src/deliver/attempt/http/post.ts'

/** The errors of workerd's bodies. */
const UNDECODABLE = new TypeError('Gzip compressed stream ended prematurely.')
const LOST = new Error('Network connection lost.')

const GZIP = { 'Content-Encoding': 'gzip' }

/** A body that ends in an error; without one it never ends. */
function bodyOf(error: Error | null): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (error !== null) controller.error(error)
    },
  })
}

async function postTo(response: Response, timeoutMs = 10_000): Promise<PostResult> {
  const fetch = async (_url: string, { signal }: { signal: AbortSignal }) => {
    const { body, status, headers } = response
    // The platform's bodies end with the request.
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () =>
        reject(new DOMException('The operation was aborted', 'AbortError')),
      )
    })
    const reader = body?.getReader()
    const read = () => Promise.race([reader?.read(), aborted])
    const cut = new ReadableStream({
      pull: async (controller) => {
        const { done, value } = (await read()) ?? { done: true, value: undefined }
        if (done) controller.close()
        else controller.enqueue(value)
      },
    })
    return new Response(cut, { status, headers })
  }
  const deps = {
    fetch: fetch as unknown as typeof globalThis.fetch,
    now: () => 1_000_000,
    stalls: { totalMs: () => 0, watch: () => () => undefined, isBusy: () => false },
    connections: new KeptConnections(),
    drain: new Drain(() => 0),
  }
  const request = {
    url: 'https://r.example.com/',
    headers: {},
    body: new Uint8Array(),
    timeoutMs,
    redact: null,
  }
  return await post(deps, request)
}

describe('a 2xx whose body cannot be decoded', () => {
  test.each([200, 202, 299])('is an answer of %i with no text', async (status) => {
    const result = await postTo(new Response(bodyOf(UNDECODABLE), { status, headers: GZIP }))
    expect(result).toMatchObject({ kind: 'response', status, text: '' })
  })
})

describe('a 2xx whose body does not come to its end', () => {
  test.each([{}, GZIP])('is a fault beside its status, with the headers %j', async (headers) => {
    const result = await postTo(new Response(bodyOf(LOST), { status: 201, headers }))
    expect(result).toMatchObject({ kind: 'fault', error: 'connection', head: { status: 201 } })
  })

  test.each([{}, GZIP])('is a timeout beside its status, with the headers %j', async (headers) => {
    const result = await postTo(new Response(bodyOf(null), { status: 201, headers }), 20)
    expect(result).toMatchObject({ kind: 'fault', error: 'timeout_body', head: { status: 201 } })
  })

  test('is no answer where nothing names a coding', async () => {
    const result = await postTo(new Response(bodyOf(UNDECODABLE), { status: 200 }))
    expect(result).toMatchObject({ kind: 'fault', error: 'connection', head: { status: 200 } })
  })
})

test.each([UNDECODABLE, LOST])(
  'another status says enough by itself, whatever its body: %s',
  async (error) => {
    const result = await postTo(
      new Response(bodyOf(error), { status: 503, headers: { ...GZIP, 'Retry-After': '9' } }),
    )
    expect(result).toMatchObject({ kind: 'response', status: 503, text: '', retryAfter: '9' })
  },
)
