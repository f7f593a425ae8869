import type { Hint } from './hint.ts'

/** Messages in one sendBatch (platform limit). A hint stays far below the other limit, 256 KB together. */
const MESSAGES_PER_SEND_MAX = 100

/** A hint and how long it should wait. */
export type DelayedHint = { hint: Hint; delaySeconds: number }

/** Sends hints in as few operations as the platform allows. Rejects when the queue refuses: the sweeper then finds the work. */
export async function sendHints(queue: Queue, hints: readonly DelayedHint[]): Promise<void> {
  const [only] = hints
  if (hints.length === 1 && only !== undefined) {
    await queue.send(only.hint, { delaySeconds: only.delaySeconds })
    return
  }
  for (let at = 0; at < hints.length; at += MESSAGES_PER_SEND_MAX) {
    const messages = hints.slice(at, at + MESSAGES_PER_SEND_MAX)
    await queue.sendBatch(messages.map(({ hint, delaySeconds }) => ({ body: hint, delaySeconds })))
  }
}
