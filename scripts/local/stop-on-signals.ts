import process from 'node:process'
import type { Relay } from './relay.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** From a terminal under npm each signal comes twice: the group's, and npm's. */
const SAME_SIGNAL_MS = 500
/** The longest that an orderly stop may take: what is under way has some seconds of it. */
const STOP_MS_MAX = 10_000

/**
 * Stops the relay in order at the first signal, and at once at a second one. Miniflare's own handlers would exit at
 * once, with the signal's code and the state folder still taken.
 */
export function stopOnSignals(relay: Relay): void {
  let firstAtMs: number | null = null
  const onSignal = () => {
    const nowMs = performance.now()
    if (firstAtMs === null) {
      firstAtMs = nowMs
      stop(relay)
    } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) endAtOnce(relay)
  }
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal)
    process.on(signal, onSignal)
  }
}

function stop(relay: Relay): void {
  setTimeout(() => endAtOnce(relay), STOP_MS_MAX).unref()
  relay.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('Stopping failed:', error)
      endAtOnce(relay)
    },
  )
}

/** Ends both processes: deliveries under way are made again after the next start, as after a crash. */
function endAtOnce(relay: Relay): never {
  const pid = relay.workerdPid()
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
  process.exit(1)
}
