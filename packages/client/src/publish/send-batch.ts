import type { Schemas } from '../api.ts'
import { isPosthornError, PosthornError } from '../errors.ts'
import { jittered } from '../http/backoff.ts'
import type { Transport } from '../http/transport.ts'
import { wait } from '../http/wait.ts'
import { type PublishResult, publishMany, rejectionOf } from './publish.ts'

type Accepted = Schemas['AcceptedEvent']

/** An event on its way, and the push that waits for it. */
export type Pushed = {
  text: string
  bytes: number
  hasId: boolean
  resolve: (accepted: Accepted) => void
  reject: (error: unknown) => void
}

export type Sending = { transport: Transport; giveUpAfterMs: number; signal: AbortSignal }

/**
 * Publishes a batch until each of its events is accepted, refused for good, or given up. Never rejects: the pushes
 * have the outcomes.
 */
export async function sendBatch(sending: Sending, batch: readonly Pushed[]): Promise<void> {
  const giveUpAtMs = Date.now() + sending.giveUpAfterMs
  let open = batch
  try {
    for (let attempt = 1; open.length > 0; attempt++) {
      const results = await publishPushed(sending, open, giveUpAtMs)
      open = settle(open, results, Date.now() < giveUpAtMs)
      if (open.length > 0) await pause(sending, attempt)
    }
  } catch (error) {
    const isStopped = sending.signal.aborted && !isPosthornError(error)
    const reason = isStopped ? stopped(error) : error
    for (const { reject } of open) reject(reason)
  }
}

async function publishPushed(
  { transport, signal }: Sending,
  open: readonly Pushed[],
  giveUpAtMs: number,
): Promise<PublishResult[]> {
  const texts = open.map(({ text }) => text)
  const key = open.every(({ hasId }) => hasId) ? { idempotencyKey: null } : {}
  return await publishMany(transport, texts, { signal, giveUpAtMs, ...key })
}

/** Tells each push its outcome, and answers those that are worth another try. */
function settle(open: readonly Pushed[], results: readonly PublishResult[], hasTime: boolean): Pushed[] {
  const again: Pushed[] = []
  for (const [i, pushed] of open.entries()) {
    const result = results[i]
    if (result === undefined) pushed.reject(new PosthornError('unexpected_answer', 'An event has no result'))
    else if (result.status !== 'rejected') pushed.resolve(result)
    // A limit is reached by some events of a request, and free again a moment later.
    else if (result.error.code === 'rate_limited' && hasTime) again.push(pushed)
    else pushed.reject(rejectionOf(result))
  }
  return again
}

async function pause({ transport, signal }: Sending, attempt: number): Promise<void> {
  await wait(jittered(transport.settings.retries, { attempt, random: Math.random() }), signal)
}

function stopped(cause: unknown): PosthornError {
  const message =
    'The publisher was closed before an answer came: the event may or may not have been accepted'
  return new PosthornError('closed', message, { cause })
}
