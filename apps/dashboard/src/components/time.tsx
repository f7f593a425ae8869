import { useSyncExternalStore } from 'react'
import { fullTime, relativeTime } from '../words/time.ts'

const TICK_MS = 5_000
let nowMs = Date.now()
const listeners = new Set<() => void>()

/** One clock for the whole page, which ticks while anything shows a time. */
let ticking: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  ticking ??= setInterval(tick, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(ticking)
    ticking = undefined
  }
}

function tick(): void {
  nowMs = Date.now()
  for (const listener of listeners) listener()
}

/** The present, as exact as times in words need it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => nowMs)
}

/** A time in words, “3 min ago”; the whole of it on hovering, and for machines. */
export function Time({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={fullTime(at)} className="whitespace-nowrap">
      {relativeTime(at, now)}
    </time>
  )
}
