import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Posthorn } from '../../../packages/client/src/index.ts'
import { answerBy } from '../../../packages/client/src/listen/forward.ts'
import {
  type ListenerMessage,
  type RelayMessage,
  RequestParts,
} from '../../../packages/client/src/listen/messages.ts'
import type { WebSocketClass } from '../../../packages/client/src/listen/options.ts'
import type * as relay from '../../../src/listen/protocol.ts'
import { listenerMessageSchema } from '../../../src/listen/protocol.ts'
import { Exchanges } from '../../../src/listen/session/exchanges.ts'
import { ok, refused } from './stub-relay.ts'

type Same<A, B> = [A, B] extends [B, A] ? true : false

test('client and relay mean the same by their messages, whose types each has for itself', async () => {
  const same: [Same<RelayMessage, relay.RelayMessage>, Same<ListenerMessage, relay.ListenerMessage>] = [
    true,
    true,
  ]
  expect(same).toEqual([true, true])
  const exchanges = new Exchanges('life', () => undefined)
  const parts = new RequestParts()
  const receive = (request: Request) =>
    request.text().then((text) => new Response(text.slice(-3), { status: 201, headers: { 'X-Seen': 'é' } }))
  const send = async (text: string) => {
    const request = parts.add(JSON.parse(text))
    if (request === null) return
    const answer = await answerBy(receive, request, new AbortController().signal)
    for (const said of [{ type: 'received', id: request.id }, answer])
      exchanges.take(listenerMessageSchema.parse(JSON.parse(JSON.stringify(said))))
  }
  const body = new TextEncoder().encode(`${'é'.repeat(1_000_000)}end`)
  const request = { method: 'POST', headers: { 'X-Sent': '1' }, body, timeoutMs: 5_000 }
  const socket = { send: (text: string) => void send(text) }
  const answer = await exchanges.forward(request, () => socket)
  expect(answer).toMatchObject({ kind: 'answered', status: 201 })
  expect(answer).toHaveProperty('headers', expect.arrayContaining([['x-seen', 'é']]))
  expect(answer).toHaveProperty('body', new TextEncoder().encode('end'))
})

describe('a listener that the relay has forgotten', () => {
  const calls: string[] = []
  const held: (() => void)[] = []
  /** Calls that wait until the test lets them go on. */
  let holds: string
  let sockets: FakeSocket[]
  let refusesSockets: boolean

  class FakeSocket extends EventTarget {
    constructor() {
      super()
      sockets.push(this)
      queueMicrotask(() => (refusesSockets ? this.break() : this.dispatchEvent(new Event('open'))))
    }
    break(): void {
      this.dispatchEvent(Object.assign(new Event('close'), { code: 1006, reason: '' }))
    }
    close(): void {}
  }

  beforeEach(() => {
    vi.useFakeTimers()
    calls.length = held.length = 0
    sockets = []
    holds = ''
    refusesSockets = false
  })
  afterEach(() => void vi.useRealTimers())

  async function relayFetch(url: unknown, { method = '' }: RequestInit = {}): Promise<Response> {
    const call = `${method} ${new URL(String(url)).pathname.replace('/api/v1/listeners', '')}`.trim()
    calls.push(call)
    const id = `webhook_${calls.filter((each) => each === 'POST').length}`
    if (call.startsWith(holds) && holds !== '') await new Promise<void>((resolve) => held.push(resolve))
    const opened = { id, socketUrl: `ws://relay.test/${id}`, protocols: [], webhook: { secret: 'whsec_x' } }
    const { status, json } = method === 'PUT' ? refused(404, 'not_found') : ok(opened)
    return Response.json(json, { status })
  }

  async function listen() {
    const posthorn = new Posthorn({ url: 'http://relay.test', key: 'phk_1', fetch: relayFetch })
    const WebSocket = FakeSocket as unknown as WebSocketClass
    return await posthorn.listen({ events: ['*'], forward: () => new Response(), WebSocket })
  }

  async function release(): Promise<void> {
    for (const resolve of held) resolve()
    await vi.advanceTimersByTimeAsync(1)
  }

  test('is opened anew once, though two of its calls find that out', async () => {
    const listener = await listen()
    holds = 'PUT'
    await vi.advanceTimersByTimeAsync(19_000)
    refusesSockets = true
    sockets[0]?.break()
    // The second connection is refused, and the third is preceded by a call; so is that of every twenty seconds.
    await vi.advanceTimersByTimeAsync(1_500)
    refusesSockets = false
    await release()
    expect(calls.filter((call) => call === 'POST')).toHaveLength(2)
    expect(listener.id).toBe('webhook_2')
    await listener.close()
  })

  test('leaves nothing behind that is closed while it is being opened anew', async () => {
    const listener = await listen()
    holds = 'POST'
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls.at(-1)).toBe('POST')
    await listener.close()
    await release()
    expect(calls.slice(-2)).toEqual(['DELETE /webhook_1', 'DELETE /webhook_2'])
    expect(sockets).toHaveLength(1)
  })
})
