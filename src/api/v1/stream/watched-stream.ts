import { RECHECK_MS, STREAM_MS_MAX } from '../../../stream/terms.ts'

/** What is done about a stream while it is open. */
export type StreamWatch = {
  now: () => number
  /** True as long as the caller may see the stream. Never rejects. */
  mayGoOn: () => Promise<boolean>
  /** Makes the hub end the stream, which then comes to its end here. */
  end: (reason: 'lifetime' | 'credential') => Promise<void>
  /** Called once, when the stream is over in whatever way. */
  onOver: () => void
  /** Keeps a look at the credential alive. */
  background: (work: Promise<unknown>) => void
}

/**
 * Passes a hub's stream on, as fast as its reader takes it, and looks at the caller's credential from time to time. What
 * waits for a slow reader waits in the hub, which bounds it.
 */
export function watchedStream(
  body: ReadableStream<Uint8Array>,
  watch: StreamWatch,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const stop = watchOver(watch, () => reader.cancel())
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          stop()
          controller.close()
        } catch (error) {
          stop()
          controller.error(error)
        }
      },
      cancel: async (reason) => {
        stop()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Looks at a stream from time to time until it is over; answers what is to be called then. */
function watchOver(watch: StreamWatch, cutOff: () => Promise<void>): () => void {
  const startedAtMs = watch.now()
  let timer: ReturnType<typeof setTimeout>
  let isOver = false
  const stop = () => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    watch.onOver()
  }
  const look = async () => {
    const isOld = watch.now() - startedAtMs >= STREAM_MS_MAX
    const mayGoOn = await watch.mayGoOn()
    if (isOver) return
    if (mayGoOn && !isOld) return again()
    // A hub that does not answer ends nothing.
    await watch.end(mayGoOn ? 'lifetime' : 'credential').catch(cutOff)
  }
  const again = () => {
    timer = setTimeout(() => watch.background(look().catch(cutOff)), RECHECK_MS)
  }
  again()
  return stop
}
