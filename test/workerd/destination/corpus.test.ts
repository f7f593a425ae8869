import { beforeEach, describe, expect, test } from 'vitest'
import { atFullCount } from '../../support/full-count.ts'
import { createRig, freshStore, SECRET } from '../../support/rig/builders.ts'
import { clientOf } from '../../support/rig/rig-client.ts'
import vectors from '../../vectors/destinations.json' with { type: 'json' }

beforeEach(freshStore)

const PRODUCTION = { settings: { allowPrivateDestinations: false, ownHostnames: ['relay.example.com'] } }
/** Some of each kind stand for the others here, which the rule itself is held against one by one. */
const REFUSED = vectors.refused.flatMap(({ urls }) => atFullCount(urls, { short: urls.slice(0, 3) }))
const FINE = 'https://receiver.example.com/hooks'

const oauth = (tokenUrl: string) =>
  ({ type: 'oauth2', tokenUrl, clientId: 'crm', clientSecret: 's3cret' }) as const

/** The URLs that a call takes although it should not, or refuses without naming their field. */
async function taken(path: string, bodyOf: (url: string) => object, field: string): Promise<string[]> {
  const client = clientOf(await createRig(PRODUCTION))
  const wrong: string[] = []
  for (const url of REFUSED) {
    const { status, error } = await client.post(path, bodyOf(url))
    const isNamed = error?.details?.some((detail) => detail.path === field) ?? false
    if (status !== 400 || !isNamed) wrong.push(`${url}: ${status}`)
  }
  return wrong
}

describe('every URL of the corpus is refused', () => {
  test('as the URL of a subscription', async () => {
    expect(await taken('/webhooks/subscribe', (url) => ({ url, events: ['*'] }), 'url')).toEqual([])
  })

  test('as its token endpoint', async () => {
    const body = (url: string) => ({ url: FINE, events: ['*'], auth: oauth(url) })
    expect(await taken('/webhooks/subscribe', body, 'auth.tokenUrl')).toEqual([])
  })

  test('in a preview', async () => {
    const body = (url: string) => ({ subscription: { url, events: ['*'] } })
    expect(await taken('/webhooks/preview', body, 'subscription.url')).toEqual([])
  })

  test('in a dispatch', async () => {
    const body = (url: string) => ({ url, secret: SECRET, event: 'a', data: {} })
    expect(await taken('/dispatch', body, 'url')).toEqual([])
  })

  test('at the attempt, though it is stored', async () => {
    const rig = await createRig(PRODUCTION)
    for (const url of REFUSED) await rig.subscribe({ url })
    await rig.publish({})
    await rig.drain()
    const rows = await rig.deliveries()
    expect(rows).toHaveLength(REFUSED.length)
    expect(rows.filter(({ error, status }) => error !== 'blocked' || status !== null)).toEqual([])
    expect(rig.posts).toEqual([])
  })

  test('at the attempt as a token endpoint, though it is stored', async () => {
    const rig = await createRig(PRODUCTION)
    // An empty one is not even stored.
    const stored = REFUSED.filter((url) => url !== '')
    for (const url of stored) await rig.subscribe({ url: FINE, auth: oauth(url) })
    await rig.publish({})
    await rig.drain()
    const rows = await rig.deliveries()
    expect(rows).toHaveLength(stored.length)
    expect(rows.filter(({ error, status }) => error !== 'auth' || status !== null)).toEqual([])
    expect(rig.posts).toEqual([])
  })
})

test('every legitimate URL of the corpus is accepted, also as a token endpoint, and delivered to', async () => {
  const rig = await createRig(PRODUCTION)
  const client = clientOf(rig)
  for (const url of vectors.accepted) {
    await client.subscribe({ url })
    await client.subscribe({ url: FINE, auth: oauth(url), events: ['never'] })
  }
  await rig.publish({})
  await rig.drain()
  expect(rig.posts).toHaveLength(vectors.accepted.length)
  expect(new Set(rig.posts.map(({ redirect }) => redirect))).toEqual(new Set(['manual']))
})

test.each(['http://169.254.169.254/latest/', 'https://127.0.0.1/', 'file:///etc/passwd', '//localhost/'])(
  'a redirect to %s is not followed',
  async (location) => {
    const rig = await createRig(PRODUCTION)
    const subscription = await rig.subscribe({ url: FINE })
    rig.receivers.set(FINE, () => new Response('', { status: 307, headers: { location } }))
    await rig.publish({})
    await rig.drain()
    expect(rig.posts.map(({ url }) => url)).toEqual([FINE])
    expect(await rig.deliveries()).toMatchObject([{ status: 307, subscription_no: subscription.no }])
  },
)
