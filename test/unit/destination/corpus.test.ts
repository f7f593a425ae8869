import { describe, expect, test } from 'vitest'
import { checkTokenUrl } from '../../../src/destination/auth.ts'
import { checkDestination } from '../../../src/destination/url.ts'
import { checkUrl } from '../../../src/destination/url-template.ts'
import vectors from '../../vectors/destinations.json' with { type: 'json' }

const RULES = { allowPrivate: false, ownHostnames: ['relay.example.com'] }
const refused = vectors.refused.flatMap(({ trick, reasons, urls }) =>
  urls.map((url) => [trick, url, reasons] as const),
)

test('the corpus is as large as it is said to be', () => {
  expect(new Set(refused.map(([, url]) => url)).size).toBeGreaterThanOrEqual(400)
  expect(new Set(vectors.accepted).size).toBeGreaterThanOrEqual(60)
})

describe('a URL of the corpus is refused as a destination and as a token endpoint', () => {
  test.each(refused)('%s: %j', (_, url, reasons) => {
    const check = checkDestination(url, RULES)
    expect(reasons).toContain(check.ok ? 'accepted' : check.reason)
    expect(checkUrl(url, RULES).ok).toBe(false)
    expect(checkTokenUrl(url, RULES).ok).toBe(false)
  })

  test('also where the workspace allows http and other ports, but for those that are only that', () => {
    const rules = { ...RULES, allowHttp: true, allowedPorts: [8443] }
    const accepted = refused.flatMap(([, url]) => (checkDestination(url, rules).ok ? [url] : []))
    expect(accepted).toEqual(['https://your-app.com:8443/', 'http://your-app.com/', 'HTTP://your-app.com/'])
  })
})

describe('a legitimate URL of the corpus is accepted as both', () => {
  test.each(vectors.accepted)('%j', (url) => {
    expect(checkDestination(url, RULES)).toMatchObject({ ok: true })
    expect(checkTokenUrl(url, RULES)).toMatchObject({ ok: true })
  })
})
