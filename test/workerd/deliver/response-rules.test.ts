import { beforeEach, describe, expect, test } from 'vitest'
import type { ResponseRule } from '../../../src/outcome/response-rules.ts'
import { expectInvalid } from '../../support/process/http-client.ts'
import { createRig, freshStore } from '../../support/rig/builders.ts'
import { deliverMany, FAILED, rowsTo, SUCCESS, stateOf } from '../../support/rig/receiver-state.ts'
import { clientOf } from '../../support/rig/rig-client.ts'

beforeEach(freshStore)

/** What becomes of an event whose receiver answers so, under some rules. */
async function outcomeOf(responseRules: ResponseRule[], status: number, body = '') {
  const rig = await createRig()
  const subscription = await rig.subscribe({ responseRules })
  rig.receivers.set(subscription.settings.url, () => new Response(body, { status }))
  await deliverMany(rig, 1)
  const [row] = await rowsTo(rig, subscription)
  if (row?.state === SUCCESS) return 'success'
  return row?.state === FAILED && row.due_at_ms === null ? 'final' : 'retry'
}

const busy = '{"result":{"ok":false,"codes":["locked","later"]}}'

test.each<[string, ResponseRule, number, string, string]>([
  ['a status', { status: 409, outcome: 'success' }, 409, '', 'success'],
  ['a status', { status: 422, outcome: 'final' }, 422, '', 'final'],
  ['a status', { status: 200, outcome: 'retry' }, 200, '', 'retry'],
  ['a class', { status: '4xx', outcome: 'final' }, 418, '', 'final'],
  ['a class', { status: '2xx', outcome: 'final' }, 204 - 1, '', 'final'],
  ['a range', { status: '500-503', outcome: 'success' }, 503, '', 'success'],
  ['a range that ends below', { status: '500-503', outcome: 'success' }, 504, '', 'retry'],
  ['a list', { status: [404, '5xx'], outcome: 'final' }, 500, '', 'final'],
  [
    'a text',
    { bodyContains: 'already processed', outcome: 'success' },
    400,
    'event already processed',
    'success',
  ],
  ['a text that is not there', { bodyContains: 'already processed', outcome: 'success' }, 400, 'no', 'retry'],
  ['a text and a status', { status: 200, bodyContains: 'error', outcome: 'retry' }, 200, 'an error', 'retry'],
  ['only one of the two', { status: 200, bodyContains: 'error', outcome: 'retry' }, 200, 'fine', 'success'],
  ['a value', { bodyJson: { path: 'result.ok', equals: false }, outcome: 'retry' }, 200, busy, 'retry'],
  [
    'a value in a list',
    { bodyJson: { path: 'result.codes', equals: 'later' }, outcome: 'retry' },
    200,
    busy,
    'retry',
  ],
  [
    'another value',
    { bodyJson: { path: 'result.ok', equals: true }, outcome: 'final' },
    200,
    busy,
    'success',
  ],
  [
    'no JSON',
    { bodyJson: { path: 'result.ok', equals: false }, outcome: 'retry' },
    200,
    'result.ok',
    'success',
  ],
  ['a class, of a 410', { status: '4xx', outcome: 'retry' }, 410, '', 'final'],
])('by %s: %j and an answer of %i', async (_, rule, status, body, expected) => {
  expect(await outcomeOf([rule], status, body)).toBe(expected)
})

test('the first rule that matches counts', async () => {
  const rules: ResponseRule[] = [
    { status: 500, bodyContains: 'fatal', outcome: 'final' },
    { status: '5xx', outcome: 'success' },
  ]
  expect(await outcomeOf(rules, 500, 'fatal')).toBe('final')
  expect(await outcomeOf(rules, 500, 'slow')).toBe('success')
})

test('a delivery that a rule lets be retried is delivered by the retry', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe({ responseRules: [{ bodyContains: 'busy', outcome: 'retry' }] })
  let asked = 0
  rig.receivers.set(subscription.settings.url, () => new Response(asked++ === 0 ? 'busy' : 'ok'))
  await deliverMany(rig, 1)
  rig.clock.nowMs += 10_000
  await rig.drain()
  expect(await rowsTo(rig, subscription)).toMatchObject([{ state: SUCCESS, attempts: 2 }])
})

test.each(['success', 'final'] as const)(
  'faults that a rule calls %s do not open the breaker',
  async (outcome) => {
    const rig = await createRig()
    const subscription = await rig.subscribe({ responseRules: [{ status: '5xx', outcome }] })
    rig.receivers.set(subscription.settings.url, () => new Response('no', { status: 500 }))
    await deliverMany(rig, 30)
    expect([rig.posts.length, (await stateOf(subscription)).faults_in_row]).toEqual([30, 0])
  },
)

test('a rule counts from the next attempt on', async () => {
  const rig = await createRig()
  const subscription = await rig.subscribe()
  rig.receivers.set(subscription.settings.url, () => new Response('no', { status: 500 }))
  await deliverMany(rig, 1)
  const json = { responseRules: [{ status: 500, outcome: 'success' }] }
  const { data } = await clientOf(rig).call('PATCH', `/webhooks/${subscription.id}`, { json })
  expect(data['responseRules']).toEqual(json.responseRules)
  rig.clock.nowMs += 10_000
  await rig.drain()
  expect(await rowsTo(rig, subscription)).toMatchObject([{ state: SUCCESS, attempts: 2 }])
})

describe('refused', () => {
  const ok = { status: 500, outcome: 'final' }
  test.each([
    ['responseRules', 'all', /must be a list/],
    ['responseRules', new Array(21).fill(ok), /at most 20/],
    ['responseRules[0]', [{ outcome: 'final' }], /must name at least one of status, bodyContains, bodyJson/],
    ['responseRules[1].outcome', [ok, { ...ok, outcome: 'ignore' }], /must be "success", "retry" or "final"/],
    ['responseRules[0].status', [{ ...ok, status: 99 }], /must be a status of 200-599/],
    ['responseRules[0].status', [{ ...ok, status: '503-500' }], /must be a status of 200-599/],
    ['responseRules[0].bodyContains', [{ bodyContains: '', outcome: 'final' }], /must be a string of 1-1000/],
    ['responseRules[0].bodyJson.path', [{ bodyJson: { path: '', equals: 1 }, outcome: 'final' }], /must/],
    ['responseRules[0].bodyJson.equals', [{ bodyJson: { path: 'a', equals: {} }, outcome: 'final' }], /must/],
  ])('400: %s of %j', async (path, responseRules, message) => {
    const rig = await createRig()
    const url = 'https://receiver.example.com/hooks'
    const refused = await clientOf(rig).post('/webhooks/subscribe', { url, events: ['*'], responseRules })
    expectInvalid(refused, path, message)
  })
})
