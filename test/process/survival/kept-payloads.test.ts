import { beforeAll, expect, test } from 'vitest'
import { verify } from '../../../src/signature/index.ts'
import { ownRelay } from '../../support/process/own-relay.ts'
import type { Received } from '../../support/receivers/receiver.ts'
import { arrivals } from '../support/arrivals.ts'
import { EXACT_DATA } from '../support/profile-wire.ts'
import { RelayApi } from '../support/relay-api.ts'

const FIRST_SECRET = 'the-first-signing-secret'
const LATER_SECRET = 'whsec_bGF0ZXItc2lnbmluZy1zZWNyZXQtb2YtYWNtZQ=='
/** Over what a row of D1 takes: kept payloads of this size rest in R2. */
const LONG_TEXT = 'ä€🙂\\n'.repeat(15_000)

const stage = ownRelay('kept')
let api: RelayApi

beforeAll(() => {
  api = new RelayApi(stage.relay, 'kept')
})

/** What a subscription is before its first attempt, and before the second. */
type Change = {
  name: string
  first: Record<string, unknown>
  later: Record<string, unknown>
  /** The profile by which it signs in the end. */
  profile: 'standard' | 'core'
  /** What payloads hold, with `DATA` for the event's own data. */
  firstHolds: string
  laterHolds: string
}

const JSON_TEMPLATE = {
  template: { n: '{{data.total}}', name: 'Name: {{data.name}}', note: '{{data.note}}' },
}
const TEXT_TEMPLATE = { contentType: 'text/plain', template: 'now {{data.name}} {{data.note}}' }

const CHANGES: Change[] = [
  {
    name: 'of a changed transform',
    first: { transform: JSON_TEMPLATE },
    later: { transform: { template: { shape: 'later' } } },
    profile: 'standard',
    firstHolds: '{"n":2567.50,"name":"Name: é é 日本 / 🧾","note":',
    laterHolds: '{"shape":"later"}',
  },
  {
    name: 'of a dropped transform to text',
    first: { transform: TEXT_TEMPLATE },
    later: { transform: null },
    profile: 'standard',
    firstHolds: 'now é é 日本 / 🧾',
    laterHolds: '"data":DATA,"context":{}}',
  },
  {
    name: 'of core, now standard',
    first: { profile: 'core' },
    later: { profile: 'standard' },
    profile: 'standard',
    firstHolds: '"data":{"object":DATA},"workspace_id":"kept"}',
    laterHolds: '"data":DATA,"context":{}}',
  },
  {
    name: 'of standard, now core',
    first: {},
    later: { profile: 'core' },
    profile: 'core',
    firstHolds: '"data":DATA,"context":{}}',
    laterHolds: '"data":{"object":DATA},"workspace_id":"kept"}',
  },
]
const SIZES = { small: 'short', large: LONG_TEXT }

test.concurrent.each(
  CHANGES.flatMap((change, i) => Object.entries(SIZES).map(([size, note]) => ({ ...change, size, note, i }))),
)('the $size payload $name is retried byte for byte, signed anew', async (change) => {
  const { receiver } = stage
  const { first, later, profile, firstHolds, laterHolds, size, note, i } = change
  const type = `kept${i}.${size}`
  const at = `/${type}`
  const data = EXACT_DATA.replace('{', `{"note":"${note}",`)
  const event = `{"event":"${type}","data":${data}}`
  receiver.script(at, 500)
  const settings = {
    ...{ url: receiver.url(at), events: [type], secret: FIRST_SECRET, retryPolicy: { schedule: [3] } },
    ...first,
  }
  const { id } = await api.subscribe(settings)
  await api.publish(event)
  const [attempt] = await arrivals(receiver, at, 1)
  receiver.script(at, 200)
  await api.call('PUT', `/webhooks/${id}`, { ...later, secret: LATER_SECRET })
  await api.publish(event)
  const [, ...others] = await arrivals(receiver, at, 3)
  const retry = others.find(({ body }) => attempt?.body.equals(body))
  const fresh = others.find((other) => other !== retry)

  expect(String(attempt?.body)).toContain(firstHolds.replace('DATA', () => data))
  expect(String(attempt?.body).length > 60_000).toBe(size === 'large')
  expect(String(fresh?.body)).toContain(laterHolds.replace('DATA', () => data))
  expect(retry?.headers['content-type']).toBe(attempt?.headers['content-type'])
  for (const delivery of [retry, fresh]) {
    expect(await reasonOf(delivery, LATER_SECRET, profile)).toBe('none')
    expect(await reasonOf(delivery, FIRST_SECRET, profile)).toBe('no_matching_signature')
  }
  const log = await api.log(id, (rows) => rows.every(({ status }) => status === 'success'))
  expect(log.map(({ retryCount }) => retryCount)).toEqual([0, 1])
})

test('a rotation without an overlap signs with the new secret alone, retries too', async () => {
  const { receiver } = stage
  receiver.script('/rotated', 500)
  const { id } = await api.subscribe({
    ...{ url: receiver.url('/rotated'), events: ['rotated'], secret: FIRST_SECRET },
    ...{ profile: 'core', retryPolicy: { schedule: [1] } },
  })
  await api.publish({ event: 'rotated', data: {} })
  await arrivals(receiver, '/rotated', 1)
  receiver.script('/rotated', 200)
  await api.call('POST', `/webhooks/${id}/rotate-secret`, { secret: LATER_SECRET, overlapSeconds: 0 })
  const [first, retry] = await arrivals(receiver, '/rotated', 2)
  expect(retry?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
  expect(Object.keys(retry?.headers ?? {})).not.toContain('x-webhook-signature-next')
  expect(await reasonOf(retry, LATER_SECRET, 'core')).toBe('none')
  expect(await reasonOf(retry, FIRST_SECRET, 'core')).toBe('no_matching_signature')
})

/** Why a delivery is not believed; `none` when it is. */
async function reasonOf(
  delivery: Received | undefined,
  secret: string,
  profile: Change['profile'],
): Promise<string> {
  const { body = '', headers = {} } = delivery ?? {}
  const result = await verify({ body, headers, secret, profile })
  return result.ok ? 'none' : result.reason
}
