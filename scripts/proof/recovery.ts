import { setTimeout as sleep } from 'node:timers/promises'
import { RelayClient } from '../../test/support/process/relay-client.ts'
import { RelayProcess } from '../../test/support/process/relay-process.ts'
import { Receiver } from '../../test/support/receivers/receiver.ts'
import { type ProofContext, type ProofResult, seconds } from './proof.ts'

export type RecoveryOptions = { events: number; withinMs: number; variant: 'hanging' | 'immediate' }

const EVENTS_PER_REQUEST = 500

/**
 * Accepts events, kills the relay while their first attempts are outstanding, and starts it again: all of them must
 * arrive within a time of the new start. `hanging`: the receiver held every attempt until the kill; `immediate`: the
 * kill follows the last answer at once.
 */
export async function proveRecovery(context: ProofContext, options: RecoveryOptions): Promise<ProofResult> {
  const { stateDir, progress } = context
  const { events, withinMs, variant } = options
  const receiver = await Receiver.start()
  if (variant === 'hanging') receiver.script('/hooks', 'hang')
  let relay = await RelayProcess.start({ stateDir })
  try {
    const client = new RelayClient(relay)
    await client.subscribe({ url: receiver.url('/hooks'), events: ['load.*'], timeoutSeconds: 30 })
    const ids = await publish(client, events)
    if (variant === 'hanging') await sleep(1_000)
    await relay.kill9()
    const before = receiver.delivered('/hooks')
    progress(`${ids.size} accepted, ${before} arrived before the kill`)
    receiver.script('/hooks', 200)
    relay = await RelayProcess.start({ stateDir })
    const readyMs = Date.now() - relay.spawnedAtMs
    const inTime = await receiver.waitForDelivered('/hooks', events, withinMs - readyMs)
    const tookMs = Date.now() - relay.spawnedAtMs
    const missing = [...ids].filter((id) => !receiver.byId('/hooks').has(id)).length
    return {
      figures: {
        'accepted, and outstanding at the kill': `${ids.size}, ${events - before}`,
        'ready (start-up sweep done) after': seconds(readyMs),
        'all arrived after': inTime ? seconds(tookMs) : `not within ${seconds(withinMs)}`,
        doubled: receiver.doubled('/hooks').length,
      },
      violations:
        inTime && missing === 0
          ? []
          : [`${missing} events had not arrived ${seconds(withinMs)} after the start`],
    }
  } finally {
    await relay.kill9()
    await receiver.close()
  }
}

async function publish(client: RelayClient, events: number): Promise<Set<string>> {
  const ids = new Set<string>()
  for (let at = 0; at < events; at += EVENTS_PER_REQUEST) {
    const count = Math.min(EVENTS_PER_REQUEST, events - at)
    const batch = Array.from({ length: count }, (_, i) => ({ event: 'load.test', data: { n: at + i } }))
    for (const id of (await client.publish(batch)).ids) ids.add(id)
  }
  if (ids.size !== events) throw new Error(`only ${ids.size} of ${events} events were accepted`)
  return ids
}
