import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { findExcess, type KeyRights } from '../../../src/access/granting.ts'
import { ROLE_NAMES, ROLES, SCOPES, type Scope, scopesOf } from '../../../src/access/scopes.ts'

const common = { workspaceId: 'w', actor: 'a', address: null }

function keyWith(change: Partial<Extract<Caller, { kind: 'key' }>> = {}): Caller {
  const free = { expiresAtMs: null, allowedIps: null, limits: null }
  return { kind: 'key', ...common, scopes: new Set(SCOPES), keyId: 'k', keyName: 'k', ...free, ...change }
}

const ALL: KeyRights = { grant: { scopes: SCOPES }, allowedIps: null, expiresAtMs: null, limits: null }

describe('a key may not do more than its maker:', () => {
  test('its scopes are among those of the maker, whatever both are', () => {
    fc.assert(
      fc.property(fc.subarray([...SCOPES]), fc.subarray([...SCOPES]), (own, given) => {
        const maker = keyWith({ scopes: new Set(own) })
        const isWithin = given.every((scope) => own.includes(scope))
        expect(findExcess(maker, { ...ALL, grant: { scopes: given } }).length === 0).toBe(isWithin)
      }),
    )
  })

  test.each(ROLE_NAMES)('the role %s is given by those who have all of its scopes', (role) => {
    const own: readonly Scope[] = ROLES[role]
    expect(findExcess(keyWith({ scopes: new Set(own) }), { ...ALL, grant: { role } })).toEqual([])
    for (const lacking of own) {
      const maker = keyWith({ scopes: new Set(own.filter((scope) => scope !== lacking)) })
      expect(findExcess(maker, { ...ALL, grant: { role } })).toMatchObject([{ path: 'role' }])
    }
  })

  test.each([
    [null, null, 0],
    [null, 5, 0],
    [5, 5, 0],
    [5, 4, 0],
    [5, 6, 1],
    [5, null, 1],
  ])('of a maker that expires at %j it may expire at %j', (own, given, faults) => {
    expect(findExcess(keyWith({ expiresAtMs: own }), { ...ALL, expiresAtMs: given })).toHaveLength(faults)
  })

  test.each([
    [null, null, 0],
    [null, ['10.0.0.0/8'], 0],
    [['10.0.0.0/8'], ['10.1.0.0/16'], 0],
    [['10.0.0.0/8', '2001:db8::/32'], ['2001:db8::1', '10.0.0.0/8'], 0],
    [['10.0.0.0/8'], ['10.1.0.0/16', '192.0.2.1'], 1],
    [['10.0.0.0/8'], null, 1],
  ])('of a maker at %j it may be used from %j', (own, given, faults) => {
    expect(findExcess(keyWith({ allowedIps: own }), { ...ALL, allowedIps: given })).toHaveLength(faults)
  })

  test.each([
    [null, null, []],
    [null, '{"eventsPerDay":5}', []],
    ['{"eventsPerDay":5}', '{"eventsPerDay":5,"subscriptions":0}', []],
    ['{"eventsPerDay":5}', '{"eventsPerDay":6}', ['limits.eventsPerDay']],
    ['{"eventsPerDay":5,"payloadBytes":1}', null, ['limits.eventsPerDay', 'limits.payloadBytes']],
  ])('of a maker with the limits %s it may have the limits %s', (own, given, paths) => {
    const problems = findExcess(keyWith({ limits: own }), { ...ALL, limits: given })
    expect(problems.map(({ path }) => path)).toEqual(paths)
  })

  test('the operator may give everything', () => {
    expect(findExcess({ kind: 'operator', ...common, scopes: new Set() }, ALL)).toEqual([])
  })
})

test('the integration administrator has every scope, and no role another than those there are', () => {
  expect(scopesOf({ role: 'integration-administrator' })).toEqual(new Set(SCOPES))
  for (const role of ROLE_NAMES) expect(SCOPES).toEqual(expect.arrayContaining([...ROLES[role]]))
})
