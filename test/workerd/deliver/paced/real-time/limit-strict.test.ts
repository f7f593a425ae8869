import { setTimeout as after } from 'node:timers/promises'
import { test } from 'vitest'
import { events } from '../../../../support/rig/batching.ts'
import { createRig } from '../../../../support/rig/builders.ts'
import { realWorld, serving } from './in-real-time.ts'

/** A receiver that keeps a sliding window of its subscription's own limit, and answers 429 beyond it. */
function strict({ requests, perSeconds }: { requests: number; perSeconds: number }, answerMs: number) {
  const takenAtMs: number[] = []
  const seen = { taken: () => takenAtMs.length, refused: 0 }
  const answer = async () => {
    const nowMs = Date.now()
    const isRefused = nowMs - (takenAtMs.at(-requests) ?? 0) < perSeconds * 1000
    if (isRefused) seen.refused++
    else takenAtMs.push(nowMs)
    await after(answerMs)
    return new Response('', { status: isRefused ? 429 : 200 })
  }
  return { seen, answer }
}

// Whether a receiver on the network refuses none is for a proof: here no busy machine is between the two clocks.
test.concurrent.for([
  { requests: 20, perSeconds: 1, answerMs: 1, count: 70 },
  { requests: 50, perSeconds: 1, answerMs: 50, count: 160 },
  { requests: 40, perSeconds: 2, answerMs: 100, count: 70 },
])(
  'a receiver with exactly the limit of its subscription refuses none: %j',
  async ({ answerMs, count, ...rateLimit }, { expect }) => {
    const rig = await createRig({ world: realWorld() })
    const subscription = await rig.subscribe({ rateLimit })
    const { seen, answer } = strict(rateLimit, answerMs)
    rig.receivers.set(subscription.settings.url, answer)
    await rig.publish(...events(count))
    const stop = serving(rig, subscription)
    const endMs = Date.now() + 20_000
    while (seen.taken() < count && Date.now() < endMs) await after(25)
    await stop()
    expect([seen.taken(), seen.refused]).toEqual([count, 0])
  },
)
