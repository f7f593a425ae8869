import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Posthorn, type StreamEvent } from '../../../packages/client/src/index.ts'
import { EventStreamParser } from '../../../packages/client/src/stream/event-stream.ts'

let server: Server
const asked: string[] = []
afterEach(async () => {
  asked.length = 0
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve) ?? resolve(null))
})

/** A relay whose streams are answered by the given functions in turn. */
async function clientOf(...streams: ((response: ServerResponse) => void)[]): Promise<Posthorn> {
  server = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    streams[asked.length - 1]?.(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new Posthorn({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'phk_1' })
}

const attempt = (no: number) => `id: x.${no}\nevent: attempt\ndata: {"deliveryId":"log_${no}"}\n\n`

async function take(posthorn: Posthorn, count: number): Promise<StreamEvent[]> {
  const seen: StreamEvent[] = []
  for await (const event of posthorn.stream({ status: 'failed' })) {
    seen.push(event)
    if (seen.length >= count) break
  }
  return seen
}

describe('a stream of deliveries', () => {
  test('is read event by event, and let go of when the loop is left', async () => {
    let isClosed: Promise<unknown> = Promise.resolve()
    const posthorn = await clientOf((response) => {
      isClosed = new Promise((resolve) => response.once('close', resolve))
      response.write(`retry: 2000\nid: x.0\nevent: ready\ndata: {}\n\n: still here\n\n${attempt(1)}`)
    })
    expect(await take(posthorn, 2)).toEqual([
      { kind: 'ready', id: 'x.0' },
      { kind: 'attempt', id: 'x.1', message: { deliveryId: 'log_1' } },
    ])
    await isClosed
  })

  test('goes on after the last event, where it ended or broke off', async () => {
    const posthorn = await clientOf(
      (response) => response.end(`${attempt(1)}event: end\ndata: {"reason":"lifetime"}\n\n`),
      (response) => response.write(attempt(2), () => response.destroy()),
      (response) => response.write(`event: gap\ndata: {}\n\n${attempt(9)}`),
    )
    const seen = await take(posthorn, 4)
    expect(seen.map(({ kind, id }) => [kind, id])).toEqual([
      ['attempt', 'x.1'],
      ['attempt', 'x.2'],
      ['gap', null],
      ['attempt', 'x.9'],
    ])
    expect(asked.map((url) => new URL(url, 'http://relay').searchParams.get('lastEventId'))).toEqual([
      null,
      'x.1',
      'x.2',
    ])
  })

  test('ends with the reason of the signal', async () => {
    const posthorn = await clientOf((response) => response.write(attempt(1)))
    const controller = new AbortController()
    const reason = new Error('enough')
    const read = async () => {
      for await (const _ of posthorn.stream({}, { signal: controller.signal })) controller.abort(reason)
    }
    await expect(read()).rejects.toBe(reason)
  })
})

test('a text/event-stream is read wherever its chunks end', () => {
  const text = 'event: a\r\ndata: one\r\ndata: two\r\n\r\n: nothing\n\ndata:three\nid: 7\n\n'
  const whole = [
    { event: 'a', data: 'one\ntwo', id: null },
    { event: 'message', data: 'three', id: '7' },
  ]
  for (let size = 1; size <= text.length; size++) {
    const parser = new EventStreamParser()
    const seen = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))?.flatMap((chunk) => parser.push(chunk))
    expect(seen, `chunks of ${size}`).toEqual(whole)
  }
})
