import { beforeEach, describe, expect, test } from 'vitest'
import { customProfileSchema } from '../../../../src/shape/profile.ts'
import { batching } from '../../../support/rig/batching.ts'
import { answer, createRig, freshStore, type SubscriptionInput } from '../../../support/rig/builders.ts'
import { clientOf, deliver } from '../../../support/rig/rig-client.ts'

beforeEach(freshStore)

const CUSTOM = customProfileSchema.parse({ signature: { header: 'X-Signature' } })
const PROFILES: SubscriptionInput[] = [
  ...(
    ['standard', 'bigledger', 'core', 'ledgerly', 'marko', 'cloudevents', 'standard-webhooks'] as const
  ).map((profile) => ({ profile })),
  { profile: 'custom', custom: CUSTOM },
]

/** The headers of all requests to a subscription of a few settings, for one event of the type `invoice.paid`. */
async function sentTo(input: SubscriptionInput, statuses: readonly number[] = [200]) {
  const rig = await createRig()
  const subscription = await rig.subscribe(input)
  await rig.publish({ type: 'invoice.paid' })
  for (const status of statuses) {
    rig.receivers.set(subscription.settings.url, answer(status))
    await rig.drain()
    rig.clock.nowMs += 60_000
  }
  return { id: subscription.id, sent: rig.postsTo(subscription).map(({ headers }) => headers) }
}

describe('a receiver is told, outside the signature,', () => {
  test.each(PROFILES)('which subscription and which type under %j', async (input) => {
    const { id, sent } = await sentTo(input)
    expect(sent.map((headers) => headers.get('webhook-subscription-id'))).toEqual([id])
    expect(sent.map((headers) => headers.get('webhook-event-type'))).toEqual(['invoice.paid'])
  })

  test('which attempt it is', async () => {
    const { sent } = await sentTo({}, [500, 503, 200])
    expect(sent.map((headers) => headers.get('webhook-attempt'))).toEqual(['1', '2', '3'])
  })

  test('that it is a batch, whose attempts are its own', async () => {
    const { id, sent } = await sentTo({ batchSettings: batching({ maxEvents: 1 }) }, [500, 200])
    expect(sent.map((headers) => headers.get('webhook-subscription-id'))).toEqual([id, id])
    expect(sent.map((headers) => headers.get('webhook-event-type'))).toEqual(['batch', 'batch'])
    expect(sent.map((headers) => headers.get('webhook-attempt'))).toEqual(['1', '2'])
  })

  test('by a header of the subscription’s own scheme, where that has the name', async () => {
    const custom = { ...CUSTOM, eventHeader: 'Webhook-Attempt' }
    const { sent } = await sentTo({ profile: 'custom', custom })
    expect(sent.map((headers) => headers.get('webhook-attempt'))).toEqual(['invoice.paid'])
  })

  test('nothing of a subscription by a dispatch, which has none', async () => {
    const rig = await createRig()
    const client = clientOf(rig)
    const url = 'https://dispatched.example.com/'
    await client.post('/dispatch', { url, secret: 'a-shared-secret', event: 'invoice.paid', data: {} })
    await deliver(rig)
    const [post] = rig.posts.filter((each) => each.url === url)
    expect(post?.headers.get('webhook-subscription-id')).toBeNull()
    expect(post?.headers.get('webhook-event-type')).toBe('invoice.paid')
  })
})
