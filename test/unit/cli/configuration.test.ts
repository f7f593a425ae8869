import { describe, expect, test } from 'vitest'
import { planChanges } from '../../../packages/cli/src/commands/configuration/plan.ts'
import { readConfiguration } from '../../../packages/cli/src/commands/configuration/read-configuration.ts'
import { compareSubscription } from '../../../packages/cli/src/configuration/compare.ts'
import {
  escapeReferences,
  missingReferences,
  resolveReferences,
} from '../../../packages/cli/src/configuration/references.ts'
import { renderChanges } from '../../../packages/cli/src/configuration/render-change.ts'
import { settingsOf } from '../../../packages/cli/src/configuration/subscription-settings.ts'
import { readYaml } from '../../../packages/cli/src/yaml/read-yaml.ts'

/** A subscription as the relay shows it, with every default. */
const SHOWN = {
  ...{ id: 'webhook_1', uid: 'crm', url: 'https://example.com/hooks', events: ['a.*'], secret: '********' },
  ...{ name: null, description: null, active: true, metadata: {}, headers: {}, retryPolicy: null },
  ...{ timeoutSeconds: 10, livemode: null, apiVersion: null, transform: null, profile: 'standard' },
  ...{ custom: null, asymmetric: false, responseRules: null, disablePolicy: null, expiresAfterSeconds: null },
  ...{ batchSettings: null, ordered: false, orderingKey: null, onExhausted: 'block', rateLimit: null },
  ...{ concurrency: null, destinationIps: null, auth: null, filters: null, conditions: null },
  ...{ conditionLogic: 'AND', health: 'healthy', pausedAt: null, disabledReason: null, updatedAt: 't1' },
}
const shownAs = (more: object) => ({ ...SHOWN, ...more }) as never
const named = { uid: 'crm', url: SHOWN.url, events: ['a.*'] }
const changed = (wanted: object, shown: object = SHOWN, env = {}) =>
  compareSubscription(wanted as never, shown as never, env).map(({ name }) => name)

describe('settings as one writes them', () => {
  test('have neither defaults nor what is read-only', () => {
    expect(settingsOf(shownAs({}))).toEqual(named)
    const more = { filters: { 'data.total': { min: 5 } }, timeoutSeconds: 20 }
    expect(settingsOf(shownAs(more))).toEqual({ ...named, ...more })
  })

  test('say that it is off where a person has switched it off, and not where the relay has', () => {
    expect(settingsOf(shownAs({ active: false, disabledReason: 'manual' }))).toMatchObject({ active: false })
    expect(settingsOf(shownAs({ active: false, disabledReason: 'failing' }))).not.toHaveProperty('active')
  })
})

describe('a comparison', () => {
  test('finds nothing between a subscription and its own export', () => {
    const shown = shownAs({
      headers: { 'X-Api-Key': '********', 'X-Team': 'b' },
      batchSettings: { enabled: true, maxEvents: 10, maxWaitTime: 30, maxBytes: 1_000_000, flushOnEvent: [] },
    })
    expect(changed(settingsOf(shown), shown)).toEqual([])
  })

  test('takes what is left out for the default, but secret and active', () => {
    const shown = { ...SHOWN, name: 'old', filters: { x: 1 }, active: false }
    expect(changed(named, shown)).toEqual(['name', 'filters'])
  })

  test('does not mind the order of members, and minds that of lists', () => {
    const shown = { ...SHOWN, metadata: { a: '1', b: '2' }, events: ['a', 'b'] }
    expect(changed({ ...named, metadata: { b: '2', a: '1' }, events: ['a', 'b'] }, shown)).toEqual([])
    expect(changed({ ...named, metadata: { b: '2', a: '1' }, events: ['b', 'a'] }, shown)).toEqual(['events'])
  })

  test('takes limits of a batch that are left out as they are', () => {
    const shown = { ...SHOWN, batchSettings: { enabled: true, maxEvents: 10, maxWaitTime: 60 } }
    expect(changed({ ...named, batchSettings: { maxEvents: 10 } }, shown)).toEqual([])
    expect(changed({ ...named, batchSettings: { maxEvents: 11 } }, shown)).toEqual(['batchSettings'])
  })

  test('takes a masked credential for what its reference stands for', () => {
    const wanted = { ...named, secret: 'env:S', headers: { Authorization: 'env:T', 'X-Team': 'b' } }
    const shown = { ...SHOWN, headers: { Authorization: '********', 'X-Team': 'b' } }
    expect(changed(wanted, shown, { S: 's', T: 't' })).toEqual([])
    expect(changed(wanted, { ...shown, headers: { ...shown.headers, 'X-Team': 'c' } })).toEqual(['headers'])
    expect(changed({ ...named, name: 'env:N' }, { ...SHOWN, name: 'n' }, { N: 'n' })).toEqual([])
  })
})

test('references are resolved at any depth, and the missing ones are named', () => {
  const value = { secret: 'env:A', auth: { tokens: ['env:B', 'plain', 'environment:C'] } }
  expect(resolveReferences(value, { A: '1', B: '2' })).toEqual({
    secret: '1',
    auth: { tokens: ['2', 'plain', 'environment:C'] },
  })
  expect(missingReferences(value, { A: '1', B: '' })).toEqual(['B'])
})

test('a text of the relay that looks like a reference is none once it is exported', () => {
  const shown = { ...SHOWN, description: 'env:KEY', headers: { 'X-Team': 'env:KEY', 'X-More': 'env::KEY' } }
  const exported = settingsOf(shown as never)
  expect(exported).toMatchObject({ description: 'env::KEY', headers: { 'X-More': 'env:::KEY' } })
  expect(resolveReferences(exported, { KEY: 'k' })).toMatchObject({
    description: shown.description,
    headers: shown.headers,
  })
  expect(changed(exported, shown, { KEY: 'k' })).toEqual([])
  expect(escapeReferences(['environment:A', 'env: A', 'env:'])).toEqual(['environment:A', 'env: A', 'env:'])
})

test('a change is shown without credentials that a file has as they are', () => {
  const paint = (_: unknown, text: string) => text
  const lines = renderChanges(
    [
      { name: 'secret', from: '********', to: 'whsec_open' },
      {
        name: 'headers',
        from: { 'X-Api-Key': '********', 'X-Team': 'b' },
        to: { 'X-Api-Key': 'k-1', 'X-Team': 'b', 'X-More': 'env:MORE' },
      },
      { name: 'auth', from: null, to: { type: 'bearer', tokens: ['t-1'] } },
      { name: 'url', from: 'https://a/?token=********', to: 'https://a/?token=t-2' },
      { name: 'name', from: null, to: 'CRM' },
    ],
    paint,
  )
  expect(lines).toContain('"X-Team":"b","X-More":"env:MORE"}')
  expect(lines).toContain('name: none → CRM')
  expect(lines).not.toMatch(/whsec_open|k-1|t-1|t-2/)
})

describe('a file', () => {
  test.each([
    ['a: [1,\n', /^x\.yaml:2:1: /],
    ['a: 1\na: 2\n', /^x\.yaml:2:1: /],
    ['a: "\n', /^x\.yaml:\d:\d: /],
    ['\tb: 1', /^x\.yaml:1:1: /],
  ])('that is broken is refused with its place: %j', (text, message) => {
    expect(() => readYaml(text, 'x.yaml')).toThrow(message)
  })

  test('that would grow without bound is refused', () => {
    const lol = Array.from(
      { length: 12 },
      (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(',')}]`,
    )
    expect(() => readYaml(`a0: &a0 [x]\n${lol.join('\n')}\n`, 'x.yaml')).toThrow('alias')
  })

  test('of JSON is read likewise, and gives places of its own', () => {
    const { value, placeOf } = readYaml('{"a":\n  [{"b": 1}]}', 'x.json')
    expect(value).toEqual({ a: [{ b: 1 }] })
    expect([placeOf(['a', 0, 'b']), placeOf(['a', 0, 'none']), placeOf([])]).toEqual([
      'x.json:2:5',
      'x.json:2:4',
      'x.json:1:1',
    ])
  })

  test.each([
    ['version: 2\n', 'x:1:1: version must be 1'],
    ['subscriptions: []\n', 'version must be 1'],
    ['version: 1\nsubscription: []\n', 'x:2:1: subscription is not known here'],
    ['version: 1\nsubscriptions: {}\n', 'x:2:1: subscriptions must be a list'],
    ['version: 1\nsubscriptions:\n  - url: https://a\n', 'x:3:5: a subscription needs a uid'],
    ['version: 1\nsubscriptions:\n  - uid: a\n  - uid: a\n', 'x:4:5: a is there twice'],
    ['version: 1\neventTypes:\n  - description: a\n', 'x:3:5: an event type needs a name'],
    ['just text', 'x:1:1: the file must have members by name'],
  ])('that cannot be meant is refused: %j', (text, message) => {
    expect(() => readConfiguration(text, 'x')).toThrow(message)
  })
})

describe('a plan', () => {
  const current = {
    workspaceId: 'acme',
    settings: { retentionDays: 90, archive: false },
    eventTypes: [
      { name: 'a.b', description: null, group: null, schema: null, example: { x: 1 }, deprecated: false },
    ],
    subscriptions: [SHOWN],
  } as never
  const plan = (text: string, prunes = false) =>
    planChanges(readConfiguration(`version: 1\n${text}`, 'x'), current, { env: {}, prunes })
  const stepsOf = (text: string, prunes = false) =>
    plan(text, prunes).steps.map(({ kind, label }) => [kind, label])
  const same = 'workspace: {retentionDays: 90}\neventTypes: [{name: a.b, example: {x: 1}}]\n'
  const crm = `subscriptions:\n  - {uid: crm, url: ${SHOWN.url}, events: [a.*]}\n`

  test('of a file that says what is there has no step', () => {
    expect(plan(same + crm)).toEqual({ steps: [], leftAlone: [] })
  })

  test('changes what differs, creates what is missing, and leaves the rest alone', () => {
    const text = `workspace: {retentionDays: 30}\neventTypes: [{name: a.c}]\n${crm}  - {uid: new, url: https://b, events: [b]}\n`
    expect(stepsOf(text)).toEqual([
      ['settings', 'workspace acme'],
      ['put_type', 'event type a.c'],
      ['create', 'subscription new'],
    ])
    expect(plan(text).leftAlone).toEqual(['event type a.b'])
  })

  test('deletes with --prune, but nothing of a part that the file does not speak of', () => {
    expect(stepsOf('subscriptions: []\n', true)).toEqual([['delete', 'subscription crm']])
    expect(stepsOf('eventTypes: []\n', true)).toEqual([['delete_type', 'event type a.b']])
    expect(stepsOf('workspace: {}\n', true)).toEqual([])
  })

  test('gives credentials again where a url moves', () => {
    const text = `subscriptions:\n  - {uid: crm, url: https://other, events: [a.*], headers: {X-Key: env:K}}\n`
    const [step] = planChanges(
      readConfiguration(`version: 1\n${text}`, 'x'),
      { ...(current as object), subscriptions: [shownAs({ headers: { 'X-Key': '********' } })] } as never,
      { env: { K: 'k' }, prunes: false },
    ).steps
    expect(step).toMatchObject({ changes: [{ name: 'url' }, { name: 'headers' }] })
  })

  test('finds by its id a subscription that has a uid in the file alone, and makes no second one', () => {
    const text = `subscriptions:\n  - {id: webhook_1, uid: new, url: ${SHOWN.url}, events: [a.*]}\n`
    expect(stepsOf(text)).toEqual([['update', 'subscription new']])
  })

  test('refuses an id of another workspace, with its place', () => {
    expect(() => plan('subscriptions:\n  - id: webhook_9\n    url: https://a\n    events: [a]\n')).toThrow(
      'x:3:5: this workspace has no subscription webhook_9',
    )
  })
})
