import { expect, test } from 'vitest'
import { parseExactJson } from '../../../apps/dashboard/src/components/json/exact-json.ts'
import { fieldChanges } from '../../../apps/dashboard/src/pages/audit-entry/changed-fields.ts'
import { changesOf, draftOf } from '../../../apps/dashboard/src/pages/settings/draft.ts'
import { actionInWords, actorInWords } from '../../../apps/dashboard/src/words/audit.ts'
import { bytesInWords } from '../../../apps/dashboard/src/words/bytes.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1 kB'],
  [999_949, '999.9 kB'],
  [999_999, '1 MB'],
  [10_000_000_000, '10 GB'],
])('a size of %i is %s', (bytes, words) => {
  expect(bytesInWords(bytes)).toBe(words)
})

test('callers and calls of the audit log are named as people know them', () => {
  const actors = [
    'operator',
    'key:abc',
    'identity:auth0:jane',
    'portal:p1:jane@example.com',
    'portal:p1',
    'unknown',
  ]
  expect(actors.map(actorInWords)).toEqual([
    'The operator',
    'Key abc',
    'auth0:jane',
    'Portal: jane@example.com',
    'Portal: p1',
    'No valid credential',
  ])
  expect(actionInWords('deletePortalTokens')).toBe('Delete portal tokens')
})

test('of a field that is an object, the members are shown that a row has changed', () => {
  const fields = { limits: { eventsPerDay: 5, subscriptions: null }, name: 'b', events: ['*'] }
  const at = '2026-01-01T00:00:00Z'
  const earlier = {
    limits: { value: { eventsPerDay: null, subscriptions: null }, no: 3, at },
    name: { value: 'a', no: 1, at },
  }
  expect(fieldChanges(fields, earlier)).toMatchObject([
    { name: 'limits.eventsPerDay', before: { value: null, no: 3 }, after: 5 },
    { name: 'name', before: { value: 'a', no: 1 }, after: 'b' },
    { name: 'events', before: null, after: ['*'] },
  ])
})

test('numbers of JSON that is read to be written again print as they stood', () => {
  const text = '{"a":[2567.50,12345678901234567890,1e3],"b":"1.0"}'
  expect(JSON.stringify(parseExactJson(text))).toBe(text)
})

const LIMITS = {
  ...{ requestsPerSecond: null, eventsPerSecond: null, eventsPerDay: 5 },
  ...{ subscriptions: null, payloadBytes: null, storedEvents: null },
}
const WORKSPACE = {
  ...{ id: 'a', status: 'active', deletion: null, createdAt: '2026-01-01T00:00:00Z', limits: LIMITS },
  ...{ eventTypeEnforcement: 'off', apiVersion: 'v1', livemode: true, archive: false },
  ...{ retentionDays: 90, retentionBytes: null, allowedHosts: null, deniedHosts: ['x.example.com'] },
  ...{ allowHttp: false, allowedPorts: [8443], verifyOwnership: false, allowedCertificates: null },
} as const

test('the settings that a form has changed are sent, and no other', () => {
  const before = draftOf(structuredClone(WORKSPACE) as never)
  expect(changesOf(before, { ...before })).toEqual({})
  const now = {
    ...before,
    retentionMegabytes: '2.5',
    deniedHosts: '',
    eventsPerDay: '',
    hasOwnCertificates: true,
  }
  expect(changesOf(before, now)).toEqual({
    ...{ retentionBytes: 2_500_000, deniedHosts: [], allowedCertificates: [] },
    limits: { eventsPerDay: null },
  })
  expect(changesOf(before, { ...before, retentionDays: 'x' })).toEqual({ retentionDays: 0.5 })
})
