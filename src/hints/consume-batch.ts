import type { z } from 'zod'
import { describeError, type Log } from '../base/log.ts'
/** A queue message as a consumer sees it. */
export type QueueMessage = {
  readonly body: unknown
  readonly attempts: number
  ack: () => void
  retry: (options?: { delaySeconds?: number }) => void
}

/** How long to wait before a hint is looked at again after D1 or a queue has failed. */
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
  const report: ConsumeReport = {
    done: valid.map(() => false),
    claims: 0,
    attempts: 0,
    delivered: 0,
    unsettled: 0,
    unsettledError: null,
  }
  let failure: string | null = null
  try {
    if (valid.length > 0)
      await work(
        valid.map(({ hint }) => hint),
        report,
      )
  } catch (error) {
    failure = describeError(error)
  }
  for (const { message, hint } of parsed) if (!hint.success) message.ack()
  valid.forEach(({ message }, i) => {
    if (report.done[i]) message.ack()
    else message.retry({ delaySeconds: Math.min(RETRY_SECONDS_MAX, 2 ** message.attempts) })
  })
  log('queue.consumed', {
    queue: name,
    messages: messages.length,
    invalid: messages.length - valid.length,
    claims: report.claims,
    attempts: report.attempts,
    delivered: report.delivered,
    unsettled: report.unsettled,
    unsettledError: report.unsettledError,
    failure,
    durationMs: now() - startedAtMs,
  })
}

/** Which hints were taken care of (claimed, forwarded or sent back), and what was done. */
export type ConsumeReport = {
  done: boolean[]
  claims: number
  attempts: number
  delivered: number
  unsettled: number
  /** What the first of them failed of. */
  unsettledError: string | null
}
