import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AttemptFault, attemptError, classify, faultOfStatus } from '../../../src/outcome/classify.ts'

const LENIENT = { retryClientErrors: true }
const STRICT = { retryClientErrors: false }
const PLAIN_RETRY = { kind: 'retry', retryAfterHonoured: false }

describe('a status', () => {
  test.each([200, 201, 202, 204, 206, 299])('%i is a success', (status) => {
    expect(classify({ status }, STRICT)).toEqual({ kind: 'success' })
    expect(attemptError({ status })).toBeNull()
  })

  test.each([429, 503])('%i is retried when its Retry-After says', (status) => {
    expect(classify({ status }, STRICT)).toEqual({ kind: 'retry', retryAfterHonoured: true })
  })

  test.each([101, 300, 301, 302, 304, 307, 308, 408, 425, 500, 502, 504, 529, 599, 999])(
    '%i is retried under every policy',
    (status) => {
      expect(classify({ status }, STRICT)).toEqual(PLAIN_RETRY)
    },
  )

  test.each([400, 401, 403, 404, 405, 409, 422, 451, 499])(
    '%i is retried unless the policy says not',
    (status) => {
      expect(classify({ status }, LENIENT)).toEqual(PLAIN_RETRY)
      expect(classify({ status }, STRICT)).toEqual({ kind: 'final' })
    },
  )

  test('410 says under every policy that the receiver is gone', () => {
    for (const policy of [LENIENT, STRICT])
      expect(classify({ status: 410 }, policy)).toEqual({ kind: 'gone' })
  })

  test('only 2xx is ever a success', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 1100 }), fc.boolean(), (status, retryClientErrors) => {
        const isSuccess = classify({ status }, { retryClientErrors }).kind === 'success'
        expect(isSuccess).toBe(status >= 200 && status < 300)
        expect(attemptError({ status })).toBe(isSuccess ? null : 'http_status')
      }),
    )
  })
})

describe('a fault', () => {
  const retried: AttemptFault[] = [
    'timeout_headers',
    'timeout_body',
    'connection',
    'dns_or_tls',
    'tls',
    'dns',
    'refused',
    'auth',
  ]
  test.each(retried)('%s is retried, under a strict policy too', (fault) => {
    expect(classify({ fault }, STRICT)).toEqual(PLAIN_RETRY)
    expect(attemptError({ fault })).toBe(fault)
  })

  const final: AttemptFault[] = ['blocked', 'template', 'internal']
  test.each(final)('%s is final: another attempt would meet the same', (fault) => {
    expect(classify({ fault }, LENIENT)).toEqual({ kind: 'final' })
  })
})

describe('an answer that Cloudflare made', () => {
  test.each([
    [520, 'connection'],
    [521, 'refused'],
    [522, 'timeout_headers'],
    [523, 'connection'],
    [524, 'timeout_headers'],
    [525, 'tls'],
    [526, 'tls'],
    [527, 'connection'],
    [530, 'dns'],
  ])('%i is the fault %s', (status, fault) => {
    expect(faultOfStatus(status, true)).toBe(fault)
  })

  test.each([200, 403, 500, 502, 503, 519, 528, 529, 531])('%i is the receiver’s own', (status) => {
    expect(faultOfStatus(status, true)).toBeNull()
  })

  test.each([520, 521, 525, 530])('%i without Cloudflare’s mark is the receiver’s own', (status) => {
    expect(faultOfStatus(status, false)).toBeNull()
  })
})
