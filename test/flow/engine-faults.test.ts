import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { hintReplay } from '../../src/replay/start.ts'
import type { Subscription } from '../../src/subscription/subscription.ts'
import { callsToFail } from '../support/full-count.ts'
import {
  answer,
  createRig,
  createWorld,
  type EventInput,
  freshStore,
  type Post,
  type Receiver,
  type Rig,
} from '../support/rig/builders.ts'
import { watchD1 } from '../support/rig/d1-watch.ts'
import { type FaultMode, FaultyBindings } from '../support/rig/faults.ts'
import { repair } from '../support/rig/repair.ts'
import { selection, start } from '../support/rig/replays.ts'

const BROKEN = 'https://broken.example.com/'
const THROTTLED = 'https://throttled.example.com/'
const GUARDED = 'https://guarded.example.com/'
const GONE = 'https://gone.example.com/'
const LISTENER = 'https://listener.example.com/'
const TOKENS = 'https://auth.example.com/token'
/** Whoever gets every event in the end. */
const OWED = [BROKEN, THROTTLED, GUARDED]
/** Faults that open a breaker, and events of one publish that bring them about. */
const FAULTS = 10
/** Minutes between the sweeps that repair: past every lease, hold and retry. */
const SWEEP_MINUTES = [1, 1, 1, 1, 10, 15, 15, 1, 1, 1]
const SUCCESS = 1
const SKIPPED = 3

/** Small events, and one whose payload is kept in R2. */
const EVENTS: EventInput[] = [
  ...Array.from({ length: FAULTS - 1 }, (_, n) => ({ data: { text: `n${n}` } })),
  { data: { text: 'x'.repeat(70_000) } },
]

/** A receiver that answers its first requests otherwise. */
function first(count: number, early: Receiver): Receiver {
  let n = 0
  return (post, signal) => (n++ < count ? early(post, signal) : new Response('ok'))
}

/** What a receiver accepted, as `id url replay`. */
type Accepted = string[]

async function subscribeAll(rig: Rig, accepted: Accepted) {
  const retryPolicy = { schedule: Array.from({ length: 20 }, () => 10) }
  const transform = { template: { text: '{{data.text}}' } }
  const events = ['invoice.*']
  await rig.subscribe({ url: BROKEN, events, retryPolicy, transform })
  const throttled = await rig.subscribe({ url: THROTTLED, events, retryPolicy })
  const auth = { type: 'oauth2', tokenUrl: TOKENS, clientId: 'c', clientSecret: 'client-secret' } as const
  await rig.subscribe({ url: GUARDED, events, retryPolicy, auth })
  const gone = await rig.subscribe({ url: GONE, events })
  await rig.subscribe({ url: LISTENER, events: ['posthorn.*'] })
  const noted = (receiver: Receiver): Receiver => {
    return async (post: Post, signal) => {
      const response = await receiver(post, signal)
      const { url, headers } = post
      if (response.ok) accepted.push(keyOf(headers.get('webhook-id'), url, headers.get('x-posthorn-replay')))
      return response
    }
  }
  rig.receivers.set(BROKEN, noted(first(FAULTS, answer(503))))
  rig.receivers.set(THROTTLED, noted(first(1, answer(429, { 'Retry-After': '60' }))))
  // A token that is withdrawn before it has expired.
  rig.receivers.set(GUARDED, noted(first(1, answer(401))))
  rig.receivers.set(GONE, answer(410))
  rig.receivers.set(LISTENER, noted(answer(200)))
  rig.receivers.set(TOKENS, () =>
    Response.json({ access_token: crypto.randomUUID(), token_type: 'Bearer', expires_in: 600 }),
  )
  return { throttled, gone }
}

const keyOf = (id: string | null, url: string, replay: string | null = null) => `${id} ${url} ${replay ?? ''}`

/** Runs the scenario while one call fails, lets the sweeper repair it, and lists what was not done in the end. */
async function run(failingCall: number, mode: FaultMode) {
  await freshStore()
  const world = createWorld()
  const faults = new FaultyBindings(failingCall, mode)
  faults.isActive = false
  const sql: string[] = []
  const db = watchD1(faults.db, (call, next) => {
    if (faults.isActive) sql.push(...call.sql)
    return next()
  })
  const { bodies } = faults
  const rig = await createRig({ world, db, bodies, queues: faults.queues(world), workspace: 'ws' })
  const accepted: Accepted = []
  const { throttled, gone } = await subscribeAll(rig, accepted)
  faults.isActive = true
  const outcomes = await rig.publish(...EVENTS).catch(() => [])
  const ids = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.id] : []))
  for (let seconds = 0; seconds <= 150; seconds += 50) {
    await rig.drain()
    rig.clock.nowMs += 50_000
  }
  const isDelivered = (id: string) => accepted.includes(keyOf(id, THROTTLED))
  const again = ids.filter(isDelivered)
  const replay = await start(rig, selection({ statuses: ['success'] }), throttled)
  await hintReplay(rig.relay.hints, rig.relay.log, replay.no)
  await rig.drain()
  faults.isActive = false
  const owed = [
    ...OWED.flatMap((url) => ids.map((id) => keyOf(id, url))),
    ...again.map((id) => keyOf(id, THROTTLED, replay.id)),
  ]
  const missing = async () => [...owed.filter((key) => !accepted.includes(key)), ...(await openRows(gone))]
  await repair(rig, SWEEP_MINUTES, async () => (await missing()).length === 0)
  return {
    sql,
    calls: faults.calls,
    accepted: ids.length,
    replayed: again.length,
    announced: accepted.filter((key) => key.includes(LISTENER)).length,
    missing: await missing(),
  }
}

/** Rows of deliveries that are still to be made, but for those of a receiver that is gone, and of replays that run. */
async function openRows(gone: Subscription): Promise<unknown[]> {
  const [deliveries, replays] = await env.DB.batch([
    env.DB.prepare(
      'SELECT * FROM delivery WHERE due_at_ms IS NOT NULL OR (state NOT IN (?1, ?2) AND subscription_no <> ?3)',
    ).bind(SUCCESS, SKIPPED, gone.no),
    env.DB.prepare('SELECT no FROM replay WHERE state = 0'),
  ])
  return [...(deliveries?.results ?? []), ...(replays?.results ?? [])]
}

const HEALTHY = await run(-1, 'before')

describe('a breaker, a throttle, an access token, an announcement and a replay', () => {
  test('everything is delivered, announced and replayed when nothing fails', () => {
    expect(HEALTHY.missing).toEqual([])
    expect(HEALTHY).toMatchObject({ accepted: FAULTS, replayed: FAULTS })
    expect(HEALTHY.announced).toBeGreaterThan(0)
  })

  test.each([
    ['of the breaker and the failure budget', /^UPDATE subscription SET\s+faults_in_row/],
    ['of a receiver that is gone', /^UPDATE subscription SET active = 0/],
    ['of the bytes of a failed attempt', /^INSERT .*INTO kept_body/],
    ['of an access token', /^INSERT .*INTO access_token/],
    ['of a step of a replay', /^UPDATE replay SET/],
  ])('among what fails is the statement %s', (_, pattern) => {
    expect(HEALTHY.sql.some((text) => pattern.test(text))).toBe(true)
  })

  test('among what fails are R2 and the queues of events and of retries', () => {
    const starts = ['R2: put', 'R2: get', 'queue of the proven', 'queue of retries']
    expect(starts.filter((name) => !HEALTHY.calls.some((call) => call.startsWith(name)))).toEqual([])
  })

  test.each(callsToFail(HEALTHY.calls, 'before'))(
    'loses nothing when call $k fails: $name',
    async ({ k }) => {
      expect((await run(k, 'before')).missing).toEqual([])
    },
  )

  test.each(callsToFail(HEALTHY.calls, 'after'))(
    'loses nothing when the answer of call $k is lost: $name',
    async ({ k }) => {
      expect((await run(k, 'after')).missing).toEqual([])
    },
  )
})
