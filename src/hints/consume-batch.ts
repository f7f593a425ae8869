import type * as z from 'zod'
import { describeError, type Log } from '../base/log.ts'

/** A queue message as a consumer sees it. */
export type QueueMessage = {
  readonly body: unknown
  readonly attempts: number
  ack: () => void
  retry: (options?: { delaySeconds?: number }) => void
}

/** Longest delay of a hint that comes again after D1 or a queue has failed. */
const RETRY_SECONDS_MAX = 60

/**
 * Runs one queue batch: parses each message, works, and ends every message in exactly one ack or retry. Never throws.
 * A message that is no hint is acked: it can never become one, and hints may be lost without harm.
 */
export async function consumeBatch<T>(
  messages: readonly QueueMessage[],
  schema: z.ZodType<T>,
  { log, now, name }: { log: Log; now: () => number; name: string },
  work: (hints: T[], report: ConsumeReport) => Promise<void>,
): Promise<void> {
  const startedAtMs = now()
  const parsed = messages.map((message) => ({ message, hint: schema.safeParse(message.body) }))
  const valid = parsed.flatMap(({ message, hint }) => (hint.success ? [{ message, hint: hint.data }] : []))
  const report = newReport(valid.length)
  let failure: string | null = null
  try {
    const hints = valid.map(({ hint }) => hint)
    if (hints.length > 0) await work(hints, report)
  } catch (error) {
    failure = describeError(error)
  }
  for (const { message, hint } of parsed) if (!hint.success) message.ack()
  for (const [i, { message }] of valid.entries()) end(message, report.done[i] ?? false)
  const { done: _, ...sums } = report
  const counts = { queue: name, messages: messages.length, invalid: messages.length - valid.length }
  log('queue.consumed', { ...counts, ...sums, failure, durationMs: now() - startedAtMs })
}

function newReport(hints: number): ConsumeReport {
  return {
    done: Array.from({ length: hints }, () => false),
    claims: 0,
    attempts: 0,
    delivered: 0,
    unsettled: 0,
    unsettledError: null,
  }
}

function end(message: QueueMessage, isDone: boolean): void {
  if (isDone) message.ack()
  else message.retry({ delaySeconds: Math.min(RETRY_SECONDS_MAX, 2 ** message.attempts) })
}

/** The hints that were taken care of (claimed, forwarded or sent back), and the sums of the work. */
export type ConsumeReport = {
  done: boolean[]
  claims: number
  attempts: number
  delivered: number
  unsettled: number
  /** The error of the first of them. */
  unsettledError: string | null
}
