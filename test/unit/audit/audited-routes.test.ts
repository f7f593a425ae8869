import { describe, expect, test } from 'vitest'
import { isAudited } from '../../../src/api/audit.ts'
import { routes } from '../../../src/api/v1/routes.ts'

const named = (routesOf: typeof routes) =>
  routesOf.map(({ definition: { operationId } }) => operationId).sort()

describe('the audit log has a row for', () => {
  test('every call that is no GET, but for those that change nothing and publishing', () => {
    const silent = routes.filter(({ definition }) => definition.method !== 'get' && !isAudited(definition))
    expect(named(silent)).toEqual([
      'dispatchEvent',
      'previewDraft',
      'previewSubscription',
      'publishEvents',
      'renewListener',
      'verifyRequest',
    ])
  })

  test('every call that shows a secret', () => {
    const shows = routes.filter(({ definition }) => definition.scope === 'webhooks:secret')
    expect(named(shows)).toContain('getSecret')
    expect(shows.filter(({ definition }) => !isAudited(definition))).toEqual([])
  })

  test('no other call that reads', () => {
    const read = routes.filter(({ definition }) => definition.method === 'get' && isAudited(definition))
    expect(named(read)).toEqual(['getSecret'])
  })
})
