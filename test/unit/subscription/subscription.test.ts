import { describe, expect, test } from 'vitest'
import { UNPACED } from '../../../src/pacing/settings.ts'
import { createSubscriptionSchema, updateSubscriptionSchema } from '../../../src/subscription/input.ts'
import {
  mergeSettings,
  newSettings,
  type SubscriptionSettings,
  selectSame,
  storedSettingsSchema,
} from '../../../src/subscription/settings.ts'

const FINE = { url: 'https://your-app.com/hooks', events: ['invoice.*'] }

type Schema = typeof createSubscriptionSchema | typeof updateSubscriptionSchema

/** Paths of all that is wrong, unknown fields by name. */
function refusals(schema: Schema, value: unknown): string[] {
  const parsed = schema.safeParse(value)
  if (parsed.success) return []
  return parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')],
  )
}

/** Both objects' members, one called `__proto__` included, which spreading and assigning would lose. */
function withMembers(a: object, b: object): object {
  return Object.fromEntries([...Object.entries(a), ...Object.entries(b)])
}

const WRONG_IN_BOTH: [string, object, string[]][] = [
  ['an unknown field', { colour: 1 }, ['colour']],
  ['several unknown fields', { colour: 1, size: 2 }, ['colour', 'size']],
  ['a field called __proto__', JSON.parse('{"__proto__":{"url":"x"}}') as object, ['__proto__']],
  ['an empty url', { url: '' }, ['url']],
  ['a url of 2,049 characters', { url: `https://a.com/${'a'.repeat(2035)}` }, ['url']],
  ['no event patterns', { events: [] }, ['events']],
  ['a bad pattern', { events: ['a', 'b*'] }, ['events.1']],
  ['201 patterns', { events: Array.from({ length: 201 }, (_, i) => `e${i}`) }, ['events']],
  ['one pattern outside of an array', { events: 'a' }, ['events']],
  ['a number for a secret', { secret: 12345678 }, ['secret']],
  ['null for a secret', { secret: null }, ['secret']],
  ['a description of 1,001 characters', { description: 'a'.repeat(1001) }, ['description']],
  ['active in words', { active: 'yes' }, ['active']],
  ['metadata that is no text', { metadata: { a: 1 } }, ['metadata.a']],
  ['a metadata value of 501 characters', { metadata: { a: 'b'.repeat(501) } }, ['metadata.a']],
  [
    '51 metadata entries',
    { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) },
    ['metadata'],
  ],
  ['a timeout of 0 s', { timeoutSeconds: 0 }, ['timeoutSeconds']],
  ['a timeout of 31 s', { timeoutSeconds: 31 }, ['timeoutSeconds']],
  ['a timeout of 1.5 s', { timeoutSeconds: 1.5 }, ['timeoutSeconds']],
  ['a profile that is not offered', { profile: 'other' }, ['profile']],
  ['an unknown field of a retry policy', { retryPolicy: { retries: 3 } }, ['retries']],
  [
    'two forms of a retry policy',
    { retryPolicy: { schedule: [1], maxRetries: 1 } },
    ['retryPolicy.schedule'],
  ],
  ['a reserved header', { headers: { 'webhook-id': 'a' } }, ['headers.webhook-id']],
]

describe('creating a subscription', () => {
  test.each(WRONG_IN_BOTH)('with %s is refused by name', (_, change, paths) => {
    expect(refusals(createSubscriptionSchema, withMembers(FINE, change))).toEqual(paths)
  })

  test('names everything that is missing', () => {
    expect(refusals(createSubscriptionSchema, {})).toEqual(['url', 'events'])
  })

  test.each([
    ['only what is required', FINE],
    [
      'seed 002’s example',
      {
        url: 'https://your-app.com/webhooks/bigledger',
        events: ['invoice.created', 'invoice.paid', 'payment.received'],
        secret: 'your-webhook-secret-key',
        description: 'Main webhook for invoice and payment events',
        active: true,
        retryPolicy: { maxRetries: 3, retryDelay: 5, backoffMultiplier: 2 },
      },
    ],
    ['200 patterns', { ...FINE, events: Array.from({ length: 200 }, (_, i) => `e${i}`) }],
    ['a timeout of 30 s', { ...FINE, timeoutSeconds: 30 }],
    ['nulls where nothing is meant', { ...FINE, description: null, retryPolicy: null }],
  ])('with %s is taken', (_, value) => {
    expect(refusals(createSubscriptionSchema, value)).toEqual([])
  })
})

describe('changing a subscription', () => {
  test.each(WRONG_IN_BOTH)('to %s is refused by name', (_, change, paths) => {
    expect(refusals(updateSubscriptionSchema, change)).toEqual(paths)
  })

  test.each([
    ['nothing', {}],
    [
      'what seed 002’s example changes',
      { events: ['invoice.created', 'invoice.paid', 'customer.created'], active: true },
    ],
  ])('%s is allowed', (_, change) => {
    expect(refusals(updateSubscriptionSchema, change)).toEqual([])
  })
})

describe('the settings', () => {
  const FULL: SubscriptionSettings = {
    url: 'https://a.com/',
    events: ['a'],
    name: 'n',
    description: 'd',
    metadata: { m: '1' },
    headersCipher: 'sealed',
    retryPolicy: { maxRetries: 1 },
    timeoutSeconds: 7,
    rules: { filters: { status: 'published' }, conditions: null, conditionLogic: 'OR' },
    livemode: true,
    apiVersion: 'v1',
    transform: { template: { id: '{{data.id}}' }, contentType: 'application/json' },
    profile: 'core',
    custom: null,
    asymmetric: false,
    responseRules: [{ status: 409, outcome: 'success' }],
    disablePolicy: { enabled: false },
    expiresAfterSeconds: 60,
    batchSettings: { enabled: true, maxEvents: 5, maxWaitTime: 6, maxBytes: 7000, flushOnEvent: ['a.b'] },
    ordered: true,
    orderingKey: 'data.id',
    onExhausted: 'skip',
    rateLimit: { requests: 8, perSeconds: 9 },
    concurrency: 10,
    destinationIps: ['192.0.2.0/24'],
  }
  const { headersCipher: _, rules: __, ...SHOWN } = FULL
  const GIVEN = { ...SHOWN, filters: { status: 'published' }, conditionLogic: 'OR' as const }
  const SECRETS = { secret: 'your-secret-key', headers: { 'X-Key': 'your-api-key' } }

  test('of a new subscription are complete', () => {
    expect(newSettings(FINE, null)).toEqual({
      ...FINE,
      name: null,
      description: null,
      metadata: {},
      headersCipher: null,
      destinationIps: null,
      retryPolicy: null,
      timeoutSeconds: 10,
      rules: null,
      livemode: null,
      apiVersion: null,
      transform: null,
      profile: 'standard',
      custom: null,
      asymmetric: false,
      responseRules: null,
      disablePolicy: null,
      expiresAfterSeconds: null,
      batchSettings: null,
      ordered: false,
      orderingKey: null,
      onExhausted: 'block',
      rateLimit: null,
      concurrency: null,
    })
  })

  test('of a new subscription hold all that was given', () => {
    expect(newSettings({ ...GIVEN, ...SECRETS, active: false }, 'sealed')).toEqual(FULL)
  })

  test.each(['your-secret-key', 'your-api-key'])('never hold %s, which is a secret, in plain', (secret) => {
    expect(JSON.stringify(newSettings({ ...GIVEN, ...SECRETS }, 'sealed'))).not.toContain(secret)
  })

  test('never take a secret in plain from a change', () => {
    expect(JSON.stringify(mergeSettings(FULL, SECRETS, 'sealed again'))).not.toContain('your-')
  })

  test('can be stored and read back', () => {
    expect(storedSettingsSchema.parse(JSON.parse(JSON.stringify(FULL)))).toEqual(FULL)
  })

  test('stay as they were when a change names nothing of them', () => {
    expect(mergeSettings(FULL, { active: false, secret: 'another-secret' }, null)).toEqual(FULL)
  })

  test.each([
    [{ url: 'https://b.com/' }],
    [{ events: ['b'] }],
    [{ name: 'x' }],
    [{ name: null }],
    [{ description: '' }],
    [{ description: null }],
    [{ metadata: {} }],
    [{ retryPolicy: null }],
    [{ retryPolicy: { schedule: [1] } }],
    [{ timeoutSeconds: 30 }],
    [{ livemode: null }],
    [{ apiVersion: 'v2' }],
    [{ transform: null }],
    [{ profile: 'marko' as const }],
    [{ asymmetric: true }],
  ])('take %j and keep the rest', (change) => {
    expect(mergeSettings(FULL, change, null)).toEqual({ ...FULL, ...change })
  })

  test.each([
    ['filters', { filters: null }, { ...FULL.rules, filters: null }],
    ['conditions', { conditions: [] }, { ...FULL.rules, conditions: [] }],
    ['their logic', { conditionLogic: 'AND' as const }, { ...FULL.rules, conditionLogic: 'AND' }],
    ['all of them', { filters: null, conditions: null, conditionLogic: 'AND' as const }, null],
  ])('take other rules, %s, and keep the rest of them', (_, change, rules) => {
    expect(mergeSettings(FULL, change, null)).toEqual({ ...FULL, rules })
  })

  test.each([
    [{ batchSettings: null }],
    [{ orderingKey: null }],
    [{ orderingKey: 'data.other' }],
    [{ onExhausted: 'block' as const }],
    [{ rateLimit: null }],
    [{ rateLimit: { requests: 1, perSeconds: 1 } }],
    [{ concurrency: null }],
    [{ concurrency: 1 }],
  ])('take %j as their pacing and keep the rest', (change) => {
    expect(mergeSettings(FULL, change, null)).toEqual({ ...FULL, ...change })
  })

  test('lose the ordering key with their order', () => {
    const unordered = { ...FULL, ordered: false, orderingKey: null }
    expect(mergeSettings(FULL, { ordered: false }, null)).toEqual(unordered)
    expect(mergeSettings(unordered, { ordered: true }, null)).toEqual({ ...FULL, orderingKey: null })
  })

  test('of rows written before pacing existed are read as those of a subscription that is not paced', () => {
    const { batchSettings, ordered, orderingKey, onExhausted, rateLimit, concurrency, ...OLD } = FULL
    expect(storedSettingsSchema.parse(OLD)).toEqual({ ...OLD, ...UNPACED })
  })

  test('of rows written before routing and shaping existed are read with their defaults', () => {
    const { url, events, description, metadata, headersCipher, retryPolicy, timeoutSeconds } = FULL
    const OLD = { url, events, description, metadata, headersCipher, retryPolicy, timeoutSeconds }
    expect(storedSettingsSchema.parse({ ...OLD, profile: 'standard' })).toMatchObject({
      ...{ rules: null, livemode: null, apiVersion: null, transform: null, custom: null, asymmetric: false },
    })
  })

  test.each([
    [{ events: ['b'] }],
    [{ filters: null }],
    [{ livemode: false }],
    [{ apiVersion: null }],
    [{ ordered: false }],
    [{ orderingKey: null }],
    [{ batchSettings: { flushOnEvent: [] } }],
  ])('have publishes match afresh after %j', (change) => {
    expect(selectSame(FULL, mergeSettings(FULL, change, null))).toBe(false)
  })

  test.each([
    [{ url: 'https://b.com/' }],
    [{ transform: null }],
    [{ description: 'x' }],
    [{ batchSettings: { maxEvents: 1 } }],
    [{ onExhausted: 'block' as const }],
    [{ rateLimit: null }],
  ])('have publishes do as before after %j', (change) => {
    expect(selectSame(FULL, mergeSettings(FULL, change, null))).toBe(true)
  })

  test.each([
    ['other headers', { 'X-Team': 'sales' }, 'sealed again'],
    ['no headers', {}, null],
  ])('take %s and keep the rest', (_, headers, headersCipher) => {
    expect(mergeSettings(FULL, { headers }, headersCipher)).toEqual({ ...FULL, headersCipher })
  })

  test('are changed in a copy', () => {
    const before = structuredClone(FULL)
    mergeSettings(FULL, { url: 'https://b.com/' }, null)
    expect(FULL).toEqual(before)
  })
})
