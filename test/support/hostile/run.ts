import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AttemptError } from '../../../src/outcome/classify.ts'
import type { RelayClient } from '../process/relay-client.ts'
import type { RelayProcess } from '../process/relay-process.ts'
import type { Behaviour } from './exchange.ts'
import { type HostileOptions, HostileReceiver } from './receiver.ts'

/** The timeout of every row's subscription, in milliseconds. */
export const TIMEOUT_MS = 3_000
/** The delay of every row's policy, in seconds: long enough that a retry is seen planned and not made. */
export const RETRY_SECONDS = 600
/** Bytes of the event that rows with `large` get: more than the network's buffers hold. */
const LARGE_BYTES = 8_000_000

/** What the log is to say in the end. */
export type Expected = {
  status: 'success' | 'failed'
  code: number | null
  /** The word, or those that are acceptable where workerd cannot tell them apart. */
  error: AttemptError | null | readonly AttemptError[]
  /** In how many seconds it is tried again; null for not at all. */
  retryInSeconds: number | null
  body: string | null
  /** How long the last attempt must have taken. */
  atLeastMs?: number
}

/** One behaviour and its outcome. */
export type Row = {
  name: string
  behaviour: Behaviour
  expected: Expected
  options?: HostileOptions & {
    /** Where to send instead, from where the receiver listens. */
    url?: (url: string) => string
    /** The receiver has stopped listening. */
    isGone?: boolean
    isLarge?: boolean
    schedule?: number[]
    /** What came of the attempts before the last one: statuses or words. */
    earlier?: (number | AttemptError)[]
    /** No request gets as far as its head. */
    isUnreached?: boolean
    /** Requests that were made once more within an attempt. */
    repeats?: number
    /** Why the outcome is what it is, where that is not plain; shown when it is another. */
    why?: string
  }
}

/** A row of seed 002's log, as far as it matters here. */
export type LoggedDelivery = {
  status: string
  responseCode: number | null
  responseTime: number
  responseBody: string | null
  error: AttemptError | null
  nextRetryAt: string | null
  attempts: {
    attemptedAt: string
    responseCode: number | null
    responseTime: number
    error: AttemptError | null
  }[]
}

/** A row's receiver and subscription. */
export type Target = { row: Row; receiver: HostileReceiver; subscriptionId: string; event: string }

/** Starts the receiver of each row and subscribes it. */
export async function prepare(client: RelayClient, rows: readonly Row[]): Promise<Target[]> {
  const receivers = await Promise.all(rows.map((row) => HostileReceiver.start(row.behaviour, row.options)))
  const targets: Target[] = []
  for (const [i, row] of rows.entries()) {
    const receiver = receivers[i]!
    const { url = (own: string) => own, isLarge = false, schedule = [RETRY_SECONDS] } = row.options ?? {}
    const event = isLarge ? 'hostile.large' : `hostile.row${i}`
    const subscriptionId = await client.subscribe({
      url: url(receiver.url),
      events: [event],
      timeoutSeconds: TIMEOUT_MS / 1000,
      retryPolicy: { schedule },
    })
    if (row.options?.isGone) await receiver.close()
    targets.push({ row, receiver, subscriptionId, event })
  }
  return targets
}

/** Publishes one event to each row, all at once, the large one last. */
export async function publishToAll(client: RelayClient, targets: readonly Target[]): Promise<void> {
  const small = targets.filter(({ row }) => !row.options?.isLarge)
  const answers = [
    await client.publish(small.map(({ event }) => ({ event, data: {} }))),
    await client.publish({ event: 'hostile.large', data: { text: 'x'.repeat(LARGE_BYTES) } }),
  ]
  if (answers.some(({ status }) => status !== 202)) throw new Error('a publish was not accepted')
}

/** Waits for all attempts of a row; answers its delivery as it is when they are made, or at the deadline. */
export async function settled(
  relay: RelayProcess,
  { row, subscriptionId }: Target,
  deadlineMs: number,
): Promise<LoggedDelivery | null> {
  const attempts = 1 + (row.options?.earlier?.length ?? 0)
  for (;;) {
    const delivery = await newestDelivery(relay, subscriptionId)
    const isSettled = delivery !== null && delivery.attempts.length >= attempts
    if (isSettled || Date.now() > deadlineMs) return delivery
    await sleep(200)
  }
}

/** The newest delivery in a subscription's log. */
export async function newestDelivery(
  { url, adminKey }: RelayProcess,
  subscriptionId: string,
): Promise<LoggedDelivery | null> {
  const headers = { Authorization: `Bearer ${adminKey}` }
  const signal = AbortSignal.timeout(10_000)
  const response = await fetch(`${url}/api/v1/webhooks/${subscriptionId}/logs?limit=1`, { headers, signal })
  const { data } = (await response.json()) as { data: LoggedDelivery[] }
  return data[0] ?? null
}

/** Watches the memory of the workerd that serves. */
export class WorkerdWatch {
  readonly pid: number
  readonly #startBytes: number
  #peakBytes = 0

  private constructor(pid: number, startBytes: number) {
    this.pid = pid
    this.#startBytes = startBytes
  }

  static async start(relay: RelayProcess): Promise<WorkerdWatch> {
    const pid = await workerdPid(relay)
    return new WorkerdWatch(pid, await residentBytes(pid))
  }

  /** How much more than at the start it had at most, as far as samples have shown. */
  get growthBytes(): number {
    return this.#peakBytes - this.#startBytes
  }

  /** Samples until told to end. */
  async sample(isOver: () => boolean): Promise<void> {
    for (; !isOver(); await sleep(250)) {
      this.#peakBytes = Math.max(this.#peakBytes, await residentBytes(this.pid))
    }
  }
}

/** The process that serves now: a new one after each restart. */
export async function workerdPid(relay: RelayProcess): Promise<number> {
  for (const line of (await ps('pid=,comm=', relay.processes().join(','))).split('\n')) {
    const [pid, command] = line.trim().split(/\s+/)
    if (command?.includes('workerd')) return Number(pid)
  }
  throw new Error('no workerd runs')
}

async function residentBytes(pid: number): Promise<number> {
  return Number(await ps('rss=', String(pid))) * 1024
}

async function ps(columns: string, pids: string): Promise<string> {
  return (await promisify(execFile)('ps', ['-o', columns, '-p', pids])).stdout
}
