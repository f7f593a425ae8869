import { describe, expect, test } from 'vitest'
import { type CheckedRequest, type StepName, stepsOf } from '../../../src/outcome/reachability.ts'

const REACHED: CheckedRequest = {
  error: null,
  status: 200,
  isEncrypted: true,
  timeoutSeconds: 10,
  addresses: null,
  explanation: null,
  isChallenged: false,
}

const resultOf = (request: Partial<CheckedRequest>) =>
  Object.fromEntries(
    stepsOf({ ...REACHED, status: null, ...request }).map(({ step, result }) => [step, result]),
  )

describe('the steps of a request', () => {
  test.each<[string, Partial<CheckedRequest>, StepName, StepName[]]>([
    ['a URL that may not be called', { error: 'blocked' }, 'request', []],
    ['a template that fails', { error: 'template' }, 'request', []],
    ['an error of another version', { error: 'unheard_of' }, 'request', []],
    ['a name that does not resolve', { error: 'dns' }, 'name', []],
    ['a name without addresses', { error: 'dns_or_tls', addresses: [] }, 'name', []],
    ['a bad certificate', { error: 'dns_or_tls', addresses: ['192.0.2.1'] }, 'tls', ['connection']],
    ['a name or a certificate', { error: 'dns_or_tls' }, 'tls', ['name', 'connection']],
    ['a port that is closed', { error: 'refused' }, 'connection', []],
    ['a connection that is reset', { error: 'connection' }, 'connection', []],
    ['no answer', { error: 'timeout_headers' }, 'answer', ['connection', 'tls']],
    ['an answer without end', { error: 'timeout_body' }, 'answer', []],
    ['a refusal', { error: 'http_status', status: 403 }, 'answer', []],
    ['a challenge to robots', { error: 'http_status', status: 403, isChallenged: true }, 'challenge', []],
  ])(
    'of %s end at the one that failed, and claim nothing of what is not known',
    (_, request, at, unclear) => {
      const results = resultOf(request)
      const names = Object.keys(results)
      for (const [place, name] of names.entries()) {
        const expected = unclear.includes(name as StepName)
          ? 'unknown'
          : name === at
            ? 'failed'
            : place < names.indexOf(at)
              ? 'passed'
              : 'skipped'
        expect(`${name} ${results[name]}`).toBe(`${name} ${expected}`)
      }
    },
  )

  test('say of every failure what to do', () => {
    for (const error of [
      'blocked',
      'template',
      'auth',
      'internal',
      'dns',
      'refused',
      'connection',
      'tls',
      'dns_or_tls',
      'timeout_headers',
      'timeout_body',
    ]) {
      const failed = stepsOf({ ...REACHED, status: null, error }).find(({ result }) => result === 'failed')
      expect(failed?.message?.length, error).toBeGreaterThan(30)
    }
  })

  test('have no TLS where the URL is plain http', () => {
    expect(resultOf({ isEncrypted: false })).toMatchObject({ tls: 'skipped', answer: 'passed' })
  })
})
