import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import { RelayClient } from '../../support/process/relay-client.ts'
import { type SharedRelay, sharedRelay } from '../../support/process/shared-relay.ts'
import { waitUntil } from '../../support/receivers/receiver.ts'

let relay: SharedRelay

beforeAll(async () => {
  relay = await sharedRelay()
})

it('a kept connection that the receiver closes as it is used again costs no attempt', async () => {
  const receiver = await RestlessReceiver.start((no) => (no === 1 ? 'close' : 'answer'))
  const { client, id } = await subscribed('kept-connection', receiver)
  await client.publish({ event: 'a.b', data: {} })
  expect(await waitUntil(() => receiver.answered === 1, 10_000)).toBe(true)
  await client.publish({ event: 'a.b', data: {} })
  expect(await waitUntil(() => receiver.answered === 2, 10_000)).toBe(true)
  expect(receiver.heads).toBe(3)
  expect(await retryCounts('kept-connection', id, 2)).toEqual([0, 0])
  await receiver.close()
})

it('a new connection that breaks is a failed attempt', async () => {
  const receiver = await RestlessReceiver.start(() => 'close')
  const { client, id } = await subscribed('broken', receiver)
  await client.publish({ event: 'a.b', data: {} })
  expect(await retryCounts('broken', id, 1, 'failed')).toEqual([0])
  expect(receiver.heads).toBe(1)
  await receiver.close()
})

it('a kept connection that breaks again and again is tried twice', async () => {
  const receiver = await RestlessReceiver.start((no) => (no === 0 ? 'answer' : 'close'))
  const { client, id } = await subscribed('twice', receiver)
  await client.publish({ event: 'a.b', data: {} })
  expect(await retryCounts('twice', id, 1)).toEqual([0])
  await client.publish({ event: 'a.b', data: {} })
  expect(await retryCounts('twice', id, 1, 'failed')).toEqual([0])
  expect(receiver.heads).toBe(3)
  await receiver.close()
})

async function subscribed(workspace: string, receiver: RestlessReceiver) {
  const client = new RelayClient(relay, workspace)
  const id = await client.subscribe({ url: receiver.url, events: ['a.*'], retryPolicy: { maxRetries: 0 } })
  return { client, id }
}

/** Waits until so many deliveries have a status, and answers how often each was retried. */
async function retryCounts(workspace: string, id: string, count: number, status = 'success') {
  const headers = { Authorization: `Bearer ${relay.adminKey}`, 'X-Company-Id': workspace }
  for (let tries = 0; ; tries++) {
    const response = await fetch(`${relay.url}/api/v1/webhooks/${id}/logs`, { headers })
    const { data } = (await response.json()) as { data: { status: string; retryCount: number }[] }
    const rows = data.filter((row) => row.status === status)
    if (rows.length >= count || tries === 200) return rows.map(({ retryCount }) => retryCount)
    await sleep(50)
  }
}

/** Answers a request or closes its connection, as its number from 0 says. */
class RestlessReceiver {
  heads = 0
  answered = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(behave: (no: number) => 'answer' | 'close') {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      let text = ''
      socket.on('error', () => undefined)
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part
        if (!isWhole(text)) return
        text = ''
        if (behave(this.heads++) === 'close') {
          socket.destroy()
          return
        }
        this.answered++
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    })
  }

  static async start(behave: (no: number) => 'answer' | 'close'): Promise<RestlessReceiver> {
    const receiver = new RestlessReceiver(behave)
    const { promise, resolve } = Promise.withResolvers<void>()
    receiver.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return receiver
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    await promise
  }
}

/** True for a request whose whole body has come. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
  return end !== -1 && text.length >= end + 4 + length
}
