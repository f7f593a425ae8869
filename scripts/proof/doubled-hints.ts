import { setTimeout as sleep } from 'node:timers/promises'
import { decodePublicId } from '../../src/base/ids/public-id.ts'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'
import { type Relay, startRelay } from '../local/relay.ts'
import { between, type ProofContext, type ProofResult } from './proof.ts'

export type DoubledHintsOptions = { events: number }

const PATHS = ['/steady', '/slow', '/flaky'] as const
const QUEUES = [
  'posthorn-deliveries',
  'posthorn-bulk-deliveries',
  'posthorn-unproven-deliveries',
  'posthorn-retries',
  'posthorn-bulk-retries',
] as const
const EVENTS_PER_REQUEST = 50
/** Hints are made of the newest events, so that they meet what is under way. */
const NEWEST = 300
/** Consumers that run beside the queue's own, as production's do. */
const CONSUMERS = 6

/**
 * Publishes while other consumers are handed the same hints again, out of order, overlapping, for all queues at once:
 * no delivery may be made twice, and none may be missing.
 */
export async function proveDoubledHints(
  context: ProofContext,
  options: DoubledHintsOptions,
): Promise<ProofResult> {
  const receiver = await Receiver.start()
  receiver.script('/slow', { status: 200, delayMs: 20 })
  // Refuses each event once: with 500 its breaker would open, and this is not about breakers.
  receiver.script('/flaky', 404, 200)
  const failures: string[] = []
  const relay = await startRelay({
    stateDir: context.stateDir,
    adminKey: 'proof_admin_key',
    onLog: ({ message }) => {
      if (/"failure":"|hint\.failed|sweep\.failed/.test(message)) failures.push(message)
    },
  })
  try {
    const client = new RelayClient(relay)
    const retryPolicy = { schedule: [1, 1, 1, 1, 1] }
    for (const path of PATHS)
      await client.subscribe({ url: receiver.url(path), events: ['load.*'], retryPolicy })
    const shim = new HintShim(relay, context.random)
    const doubling = shim.run()
    await publish(client, options.events, (ids) => shim.know(ids))
    for (const path of PATHS) await receiver.waitForDelivered(path, options.events, 60_000)
    await sleep(2_000)
    shim.stop()
    await doubling
    return judge(receiver, shim, failures, options.events)
  } finally {
    await relay.stop()
    await receiver.close()
  }
}

/** Hands consumers hints that they or others have had or are about to have. */
class HintShim {
  readonly #relay: Relay
  readonly #random: () => number
  #stopped = false
  #ids = 0
  readonly #known: { workspaceNo: number; seq: number }[] = []
  hints = 0
  batches = 0
  refused = 0

  constructor(relay: Relay, random: () => number) {
    this.#relay = relay
    this.#random = random
  }

  /** Events to make hints of. D1 is not asked for them: Miniflare's calls block this process, and workerd's log with it. */
  know(eventIds: readonly string[]): void {
    for (const id of eventIds) {
      const event = decodePublicId('evt_', id)
      if (event !== null) this.#known.push({ workspaceNo: event.owner, seq: event.seq })
    }
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: CONSUMERS }, () => this.#consumer()))
  }

  stop(): void {
    this.#stopped = true
  }

  async #consumer(): Promise<void> {
    const worker = await this.#relay.mf.getWorker()
    while (!this.#stopped) {
      const queue = QUEUES[between(this.#random, 0, QUEUES.length - 1)] ?? QUEUES[0]
      const bodies = queue === 'posthorn-retries' ? this.#dueHints() : this.#eventsHints()
      if (bodies.length > 0) {
        const messages = bodies.map((body) => ({
          ...{ id: `shim-${++this.#ids}`, timestamp: new Date(), body, attempts: 1 },
        }))
        const result = await worker.queue(queue, messages)
        this.batches++
        this.hints += messages.length
        if (result.outcome !== 'ok') this.refused++
      }
      await sleep(between(this.#random, 0, 20))
    }
  }

  #dueHints(): object[] {
    return PATHS.map((_, i) => ({ v: 1, kind: 'due', subscriptionNo: i + 1 }))
  }

  /** Ranges that end or begin anywhere in the newest events, shuffled, one of them twice. */
  #eventsHints(): object[] {
    const hints = this.#known
      .slice(-NEWEST)
      .filter(() => this.#random() < 0.05)
      .map(({ workspaceNo, seq: firstSeq }) => ({
        ...{ v: 1, kind: 'events', workspaceNo, firstSeq },
        lastSeq: firstSeq + between(this.#random, 0, 120),
      }))
    hints.sort(() => this.#random() - 0.5)
    return [...hints, ...hints.slice(0, 1)]
  }
}

async function publish(
  client: RelayClient,
  events: number,
  onAccepted: (ids: string[]) => void,
): Promise<void> {
  for (let at = 0; at < events; at += EVENTS_PER_REQUEST) {
    const count = Math.min(EVENTS_PER_REQUEST, events - at)
    const { ids } = await client.publish(
      Array.from({ length: count }, (_, i) => ({ event: 'load.test', data: { n: at + i } })),
    )
    onAccepted(ids)
    await sleep(5)
  }
}

function judge(receiver: Receiver, shim: HintShim, failures: readonly string[], events: number): ProofResult {
  const violations: string[] = []
  for (const path of PATHS) {
    const doubled = receiver.doubled(path)
    const missing = events - receiver.delivered(path)
    if (missing > 0) violations.push(`${path}: ${missing} events did not arrive`)
    if (doubled.length > 0) violations.push(`${path}: ${doubled.length} events arrived twice`)
  }
  if (failures.length > 0) violations.push(`${failures.length} failures in the relay: ${failures[0]}`)
  if (shim.refused > 0) violations.push(`${shim.refused} queue batches threw`)
  return {
    figures: {
      'events, receivers': `${events}, ${PATHS.length}`,
      'extra hints': `${shim.hints} in ${shim.batches} batches, ${CONSUMERS} at a time`,
      'doubled deliveries': PATHS.reduce((sum, path) => sum + receiver.doubled(path).length, 0),
    },
    violations,
  }
}
