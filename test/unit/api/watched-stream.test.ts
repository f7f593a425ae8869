import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type StreamWatch, watchedStream } from '../../../src/api/v1/stream/watched-stream.ts'
import { RECHECK_MS, STREAM_MS_MAX } from '../../../src/stream/terms.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched(change: Partial<StreamWatch> = {}) {
  const seen = { ended: [] as string[], over: 0, cancelled: false }
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: () => {
      seen.cancelled = true
    },
  })
  const stream = watchedStream(body, {
    now: () => Date.now(),
    mayGoOn: async () => true,
    end: async (reason) => {
      seen.ended.push(reason)
      controller.close()
    },
    onOver: () => {
      seen.over++
    },
    background: () => undefined,
    ...change,
  })
  return {
    reader: stream.getReader(),
    seen,
    send: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    fail: () => controller.error(new Error('cut')),
  }
}

const looks = (count: number) => vi.advanceTimersByTimeAsync(count * RECHECK_MS)

describe('a watched stream', () => {
  test('passes on what comes, and goes on as long as its caller may see it', async () => {
    const { reader, seen, send } = watched()
    send('a')
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('a')
    await looks(5)
    expect(seen).toEqual({ ended: [], over: 0, cancelled: false })
  })

  test('ends at the first look at which its caller may not see it any more', async () => {
    let mayGoOn = true
    const { reader, seen } = watched({ mayGoOn: async () => mayGoOn })
    const over = reader.closed
    const reading = reader.read()
    await looks(2)
    mayGoOn = false
    await looks(1)
    expect(await reading).toEqual({ done: true, value: undefined })
    await over
    expect(seen).toEqual({ ended: ['credential'], over: 1, cancelled: false })
  })

  test('ends when it has lasted long enough', async () => {
    const { reader, seen } = watched()
    const reading = reader.read()
    await vi.advanceTimersByTimeAsync(STREAM_MS_MAX + RECHECK_MS)
    expect((await reading).done).toBe(true)
    expect(seen).toEqual({ ended: ['lifetime'], over: 1, cancelled: false })
  })

  test('is cut off where the hub does not answer', async () => {
    const end = async () => Promise.reject(new Error('no answer'))
    const { reader, seen } = watched({ mayGoOn: async () => false, end })
    const reading = reader.read()
    await looks(1)
    expect((await reading).done).toBe(true)
    expect(seen).toMatchObject({ cancelled: true, over: 1 })
  })

  test('is not looked at again when its reader leaves during a look', async () => {
    let looked = 0
    const looking = Promise.withResolvers<boolean>()
    const mayGoOn = async () => {
      looked++
      return await looking.promise
    }
    const { reader, seen } = watched({ mayGoOn })
    await looks(1)
    await reader.cancel()
    looking.resolve(true)
    await looks(5)
    expect(looked).toBe(1)
    expect(seen).toEqual({ ended: [], over: 1, cancelled: true })
  })

  test('is over once where its reader leaves, or the hub cuts it off', async () => {
    const left = watched()
    await left.reader.cancel()
    const cut = watched()
    cut.fail()
    await expect(cut.reader.read()).rejects.toThrow('cut')
    await looks(3)
    expect(left.seen).toEqual({ ended: [], over: 1, cancelled: true })
    expect(cut.seen).toEqual({ ended: [], over: 1, cancelled: false })
  })
})
