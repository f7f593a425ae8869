import { expect, test } from 'vitest'
import { attemptTexts } from '../../../../../src/api/v1/deliveries/attempt-texts.ts'

const NOTHING = { responseBody: null, errorMessage: null, explanation: null }

test.each([
  ['a success', { status: 200, error: null, response: 'ok' }, { responseBody: 'ok' }],
  ['a delivery not attempted yet', { status: null, error: null, response: null }, {}],
  [
    'another status',
    { status: 503, error: 'http_status', response: 'later' },
    { responseBody: 'later', errorMessage: 'The receiver answered 503.' },
  ],
  [
    'a fault with words of its own',
    { status: null, error: 'connection', response: 'Network connection lost.' },
    { errorMessage: 'The connection was refused, reset or closed early: Network connection lost.' },
  ],
  [
    'a fault without words',
    { status: null, error: 'timeout_headers', response: null },
    { errorMessage: 'The receiver did not answer within the timeout.' },
  ],
  [
    'an answer that broke off',
    { status: 200, error: 'timeout_body', response: 'half' },
    { responseBody: 'half', errorMessage: 'The answer did not end within the timeout.' },
  ],
  [
    'a page that Cloudflare answered for the receiver',
    { status: null, error: 'refused', response: 'x'.repeat(500) },
    { errorMessage: `The receiver refused the connection: ${'x'.repeat(200)}` },
  ],
  [
    'a request that was not made',
    { status: null, error: 'template', response: 'line 1: no such filter' },
    { errorMessage: 'line 1: no such filter', explanation: 'line 1: no such filter' },
  ],
  ['a word of another version', { status: null, error: 'unheard_of', response: null }, {}],
])('the texts of %s', (_, attempted, expected) => {
  expect(attemptTexts(attempted)).toEqual({ ...NOTHING, ...expected })
})

test('a message does not end within a character', () => {
  const { errorMessage } = attemptTexts({ status: null, error: 'tls', response: '😀'.repeat(101).slice(1) })
  expect(errorMessage?.isWellFormed()).toBe(true)
})
