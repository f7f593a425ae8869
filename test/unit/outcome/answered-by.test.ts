import { describe, expect, test } from 'vitest'
import { type Answerer, answeredBy } from '../../../src/outcome/answered-by.ts'

const EXAMPLES: [string, Answerer, number, Record<string, string>, string?][] = [
  ['a success', 'receiver', 200, { server: 'cloudflare' }],
  ['an error of its own', 'receiver', 500, { server: 'gunicorn' }],
  ['an error of its own behind a proxy', 'receiver', 500, { server: 'nginx' }],
  ['a refusal behind Cloudflare', 'receiver', 403, { server: 'cloudflare' }],
  ['a challenge of Cloudflare', 'challenge', 403, { server: 'cloudflare', 'cf-mitigated': 'challenge' }],
  ['a challenge of which only the page is known', 'challenge', 503, {}, '<title>Just a moment...</title>'],
  ['a challenge of AWS', 'challenge', 405, { 'x-amzn-waf-action': 'captcha' }],
  ['an origin that Cloudflare does not reach', 'proxy', 522, { server: 'cloudflare' }],
  ['a gateway', 'proxy', 502, { server: 'nginx/1.25' }],
  ['a load balancer', 'proxy', 503, { server: 'awselb/2.0' }],
  ['a tunnel without its end', 'proxy', 404, { 'ngrok-error-code': 'ERR_NGROK_3200' }],
]

describe('who has answered', () => {
  test.each(EXAMPLES)('is known of %s', (_, answerer, status, headers, text = '') => {
    expect(answeredBy({ status, headers: Object.entries(headers), text })).toBe(answerer)
  })
})
