import { describe, expect, it } from 'vitest'
import {
  type AttemptFault,
  type AttemptResult,
  attemptError,
  classify,
  faultOfStatus,
} from '../../../src/outcome/classify.ts'

/** What production answers for receivers it cannot reach, every code of the range, and the log's word for each. */
const TABLE: readonly [status: number, meaning: string, word: AttemptFault | null][] = [
  [520, 'the origin answered with nothing that is HTTP', 'connection'],
  [521, 'the origin refused the connection', 'refused'],
  [522, 'the connection was not made in time', 'timeout_headers'],
  [523, 'no route to the origin', 'connection'],
  [524, 'connected, but no answer in time', 'timeout_headers'],
  [525, 'the TLS handshake failed', 'tls'],
  [526, 'the certificate is not valid', 'tls'],
  [527, 'the connection through Railgun failed', 'connection'],
  [528, 'none of Cloudflare’s', null],
  [529, 'none of Cloudflare’s', null],
  [530, 'the name does not resolve', 'dns'],
]
const POLICIES = [{ retryClientErrors: true }, { retryClientErrors: false }]

/** What an attempt came to, as the pipeline puts it together. */
function resultOf(status: number, viaCloudflare: boolean): AttemptResult {
  const fault = faultOfStatus(status, viaCloudflare)
  return fault === null ? { status } : { fault }
}

it('leaves out no code of the range', () => {
  expect(TABLE.map(([status]) => status)).toEqual(Array.from({ length: 11 }, (_, i) => 520 + i))
})

describe.each(TABLE)('%i, %s', (status, _meaning, word) => {
  it(`is logged as ${word ?? 'the receiver’s own status'} when Cloudflare has made it`, () => {
    expect(faultOfStatus(status, true)).toBe(word)
    expect(attemptError(resultOf(status, true))).toBe(word ?? 'http_status')
  })

  it('is the receiver’s own status without Cloudflare’s mark', () => {
    expect(faultOfStatus(status, false)).toBeNull()
    expect(attemptError(resultOf(status, false))).toBe('http_status')
  })

  it.each(POLICIES)('is retried either way, and no Retry-After of it counts: %o', (policy) => {
    for (const viaCloudflare of [true, false]) {
      const outcome = classify(resultOf(status, viaCloudflare), policy)
      expect(outcome).toEqual({ kind: 'retry', retryAfterHonoured: false })
    }
  })
})

it('takes no status outside of the range for Cloudflare’s, marked or not', () => {
  const others = Array.from({ length: 900 }, (_, i) => 100 + i).filter(
    (status) => status < 520 || status > 530,
  )
  expect(others.filter((status) => faultOfStatus(status, true) !== null)).toEqual([])
  expect(others.filter((status) => faultOfStatus(status, false) !== null)).toEqual([])
})
