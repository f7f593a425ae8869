import { expect, test } from 'vitest'
import type { RelayMessage } from '../../../src/listen/protocol.ts'
import { Exchanges, type ListenerSocket } from '../../../src/listen/session/exchanges.ts'
import { BYTES_MAX, IN_HAND_BYTES_MAX, REQUEST_BYTES } from '../../../src/listen/terms.ts'

class Socket implements ListenerSocket {
  readonly messages: RelayMessage[] = []
  send(text: string): void {
    this.messages.push(JSON.parse(text) as RelayMessage)
  }
  get ids(): string[] {
    return this.messages.flatMap((message) => (message.type === 'request' ? [message.id] : []))
  }
}

function exchanges() {
  const slow: ListenerSocket[] = []
  return { slow, exchanges: new Exchanges('life', (socket) => void slow.push(socket)) }
}

const requestOf = (bytes: number, timeoutMs = 60_000) => ({
  method: 'POST',
  headers: {},
  body: new Uint8Array(bytes),
  timeoutMs,
})

test('as many bytes as may be are in hand; the next request waits until there is room', async () => {
  const socket = new Socket()
  const { exchanges: own } = exchanges()
  const half = requestOf(IN_HAND_BYTES_MAX / 2 - REQUEST_BYTES)
  const made = [1, 2, 3].map(() => own.forward(half, () => socket))
  await new Promise((resolve) => setImmediate(resolve))
  expect(socket.ids).toHaveLength(2)
  own.take({ type: 'answer', id: socket.ids[0] ?? '', status: 200, headers: [], body: '' })
  expect(await made[0]).toMatchObject({ kind: 'answered', status: 200 })
  await new Promise((resolve) => setImmediate(resolve))
  expect(socket.ids).toHaveLength(3)
  own.drop(socket)
  expect(await Promise.all(made.slice(1))).toEqual(
    [1, 2].map(() => expect.objectContaining({ kind: 'unanswered', reason: 'disconnected' })),
  )
})

test('beyond the bytes that may wait, a request is refused at once', async () => {
  const socket = new Socket()
  const { exchanges: own } = exchanges()
  const large = requestOf(IN_HAND_BYTES_MAX)
  const count = Math.floor(BYTES_MAX / (IN_HAND_BYTES_MAX + REQUEST_BYTES))
  const made = Array.from({ length: count }, () => own.forward(large, () => socket))
  expect(await own.forward(large, () => socket)).toMatchObject({ reason: 'busy' })
  for (let n = 0; n < count; n++) {
    await new Promise((resolve) => setImmediate(resolve))
    own.take({ type: 'failed', id: socket.ids.at(-1) ?? '', message: 'enough' })
    expect(await made[n]).toMatchObject({ reason: 'failed' })
  }
  expect(socket.ids).toHaveLength(count)
})

test('a socket by which a request is not even received in its time is given up', async () => {
  const [reading, silent] = [new Socket(), new Socket()]
  const { exchanges: own, slow } = exchanges()
  const asked = own.forward(requestOf(0, 20), () => reading)
  await new Promise((resolve) => setImmediate(resolve))
  own.take({ type: 'received', id: reading.ids[0] ?? '' })
  expect(await asked).toMatchObject({ reason: 'timeout' })
  expect(reading.messages.at(-1)).toEqual({ type: 'cancel', id: reading.ids[0] })
  expect(await own.forward(requestOf(0, 20), () => silent)).toMatchObject({ reason: 'timeout' })
  expect(slow).toEqual([silent])
})
