import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { checkTokenUrl } from '../../../src/destination/auth.ts'
import {
  readDestinations,
  UNRESTRICTED,
  type WorkspaceDestinations,
  widenedBy,
  workspaceDestinationsShape,
} from '../../../src/destination/rules.ts'
import { checkDestination, rulesWithin } from '../../../src/destination/url.ts'

const PRODUCTION = { allowPrivate: false, ownHostnames: [] }
const LOCAL = { allowPrivate: true, ownHostnames: [] }
const schema = z.strictObject(workspaceDestinationsShape)

const rules = (own: Partial<WorkspaceDestinations>) => ({ ...UNRESTRICTED, ...own })
const reasonOf = (url: string, own: Partial<WorkspaceDestinations>, operator = PRODUCTION) => {
  const check = checkDestination(url, rulesWithin(operator, rules(own)))
  return check.ok ? 'ok' : check.reason
}

describe('a host of a list', () => {
  test.each([
    ['Hooks.Example.COM', 'hooks.example.com'],
    ['*.Example.com', '*.example.com'],
    ['bücher.example.org', 'xn--bcher-kva.example.org'],
    ['*.bücher.example.org', '*.xn--bcher-kva.example.org'],
    ['*.com', '*.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
  ])('%j is kept as %j', (given, kept) => {
    expect(schema.parse({ deniedHosts: [given] })).toEqual({ deniedHosts: [kept] })
  })

  test.each([
    ...['', '*', '*.', '**.a.com', '*a.com', 'a.*.com', 'https://a.com', 'a.com/', 'a.com/x', 'a.com:443'],
    ...['u@a.com', 'a.com.', '.a.com', 'a b.com', 'a.com\n', 'a\\b.com', '%61.com', '*.127.0.0.1', '*.[::1]'],
    ...['::1', 'a?b', 'a#b', '[::1', 'a.com%2e'],
  ])('%j is refused', (given) => {
    expect(schema.safeParse({ allowedHosts: [given] }).success).toBe(false)
  })

  test('is one of 100, of 4,000 characters together', () => {
    const hosts = (count: number, length: number) =>
      Array.from({ length: count }, (_, n) => `${String(n).padStart(length - 4, 'a')}.com`)
    expect(schema.safeParse({ deniedHosts: hosts(100, 40) }).success).toBe(true)
    expect(schema.safeParse({ deniedHosts: hosts(101, 10) }).success).toBe(false)
    expect(schema.safeParse({ deniedHosts: hosts(100, 41) }).success).toBe(false)
  })
})

describe('the hosts of a workspace', () => {
  const allowedHosts = ['hooks.example.com', '*.your-app.com']
  test.each([
    ['https://hooks.example.com/', 'ok'],
    ['https://HOOKS.example.com/', 'ok'],
    ['https://a.your-app.com/', 'ok'],
    ['https://a.b.your-app.com/', 'ok'],
    ['https://your-app.com/', 'other_host'],
    ['https://eu.hooks.example.com/', 'other_host'],
    ['https://evilyour-app.com/', 'other_host'],
    ['https://a.your-app.com.evil.com/', 'other_host'],
    ['https://example.com/', 'other_host'],
  ])('%s is %s', (url, reason) => {
    expect(reasonOf(url, { allowedHosts })).toBe(reason)
  })

  test('are never those that it denies', () => {
    const deniedHosts = ['a.your-app.com', '*.internal-tools.com']
    expect(reasonOf('https://a.your-app.com/', { allowedHosts, deniedHosts })).toBe('denied_host')
    expect(reasonOf('https://b.your-app.com/', { allowedHosts, deniedHosts })).toBe('ok')
    expect(reasonOf('https://x.internal-tools.com/', { deniedHosts })).toBe('denied_host')
    expect(reasonOf('https://internal-tools.com/', { deniedHosts })).toBe('ok')
  })

  test('allow no private one', () => {
    for (const [host, reason] of [
      ['127.0.0.1', 'ip_address'],
      ['localhost', 'private_name'],
      ['db.internal', 'private_name'],
    ]) {
      expect(reasonOf(`https://${host}/`, { allowedHosts: [host as string] })).toBe(reason)
    }
  })

  test('count in local runs too, also with a dot at the end', () => {
    const own = { allowedHosts: ['127.0.0.1', '[::1]'], deniedHosts: ['localhost'] }
    expect(reasonOf('http://127.0.0.1:3000/', own, LOCAL)).toBe('ok')
    expect(reasonOf('http://[::1]:3000/', own, LOCAL)).toBe('ok')
    expect(reasonOf('http://127.0.0.2:3000/', own, LOCAL)).toBe('other_host')
    expect(reasonOf('http://localhost.:3000/', own, LOCAL)).toBe('denied_host')
  })
})

describe('http and ports', () => {
  test.each<[string, Partial<WorkspaceDestinations>, string]>([
    ['http://a.com/', { allowHttp: true }, 'ok'],
    ['http://a.com:8080/', { allowHttp: true }, 'port'],
    ['http://a.com:8080/', { allowHttp: true, allowedPorts: [8080] }, 'ok'],
    ['https://a.com:8443/', { allowedPorts: [8443] }, 'ok'],
    ['https://a.com:8444/', { allowedPorts: [8443] }, 'port'],
    ['http://a.com:8443/', { allowedPorts: [8443] }, 'scheme'],
    ['https://a.com:0/', { allowedPorts: [8443] }, 'port'],
  ])('%s with %j: %s', (url, own, reason) => {
    expect(reasonOf(url, own)).toBe(reason)
  })

  test('are for token endpoints by port only', () => {
    const within = rulesWithin(PRODUCTION, rules({ allowHttp: true, allowedPorts: [8443] }))
    expect(checkTokenUrl('https://a.com:8443/', within)).toMatchObject({ ok: true })
    expect(checkTokenUrl('http://a.com/', within)).toMatchObject({ reason: 'scheme' })
  })

  test.each([0, -1, 65_536, 1.5, '443'])('a port is not %j', (port) => {
    expect(schema.safeParse({ allowedPorts: [port] }).success).toBe(false)
  })
})

describe('a change', () => {
  test.each<[Partial<WorkspaceDestinations>, Partial<WorkspaceDestinations>, string[]]>([
    [{}, {}, []],
    [{}, { allowedHosts: ['a.com'], deniedHosts: ['b.com'] }, []],
    [{ allowedHosts: ['a.com'] }, { allowedHosts: null }, ['allowedHosts']],
    [{ allowedHosts: ['a.com'] }, { allowedHosts: ['b.com'] }, ['allowedHosts']],
    [{ allowedHosts: ['a.com', 'b.com'] }, { allowedHosts: ['b.com'] }, []],
    [{ allowedHosts: ['a.com'] }, { allowedHosts: ['*.a.com'] }, ['allowedHosts']],
    [{ allowedHosts: ['*.a.com'] }, { allowedHosts: ['a.com'] }, ['allowedHosts']],
    [{ allowedHosts: ['*.a.com'] }, { allowedHosts: ['x.a.com', '*.y.a.com', '*.a.com'] }, []],
    [{ allowedHosts: ['*.x.a.com'] }, { allowedHosts: ['*.a.com'] }, ['allowedHosts']],
    [{ deniedHosts: ['a.com'] }, { deniedHosts: [] }, ['deniedHosts']],
    [{ deniedHosts: ['x.a.com', '*.y.a.com'] }, { deniedHosts: ['*.a.com'] }, []],
    [{ deniedHosts: ['*.a.com'] }, { deniedHosts: ['x.a.com'] }, ['deniedHosts']],
    [{ allowHttp: true }, { allowHttp: false }, []],
    [{}, { allowHttp: true }, ['allowHttp']],
    [{ allowedPorts: [1, 2] }, { allowedPorts: [2] }, []],
    [{ allowedPorts: [1] }, { allowedPorts: [1, 2] }, ['allowedPorts']],
    [{}, { allowedCertificates: [] }, []],
    [{ allowedCertificates: ['MTLS_A', 'MTLS_B'] }, { allowedCertificates: ['MTLS_B'] }, []],
    [{ allowedCertificates: [] }, { allowedCertificates: ['MTLS_A'] }, ['allowedCertificates']],
    [{ allowedCertificates: [] }, { allowedCertificates: null }, ['allowedCertificates']],
    [{}, { verifyOwnership: true }, []],
    [{ verifyOwnership: true }, {}, ['verifyOwnership']],
  ])('from %j to %j widens %j', (before, after, widened) => {
    expect(widenedBy(rules(before), rules(after))).toEqual(widened)
  })
})

test('what is stored is read by place, and what is not is the default', () => {
  expect(readDestinations('[null,null,null,null,null,null]')).toEqual(UNRESTRICTED)
  expect(readDestinations('[["a.com"],null,true,[8443],null,null]')).toEqual({
    allowedHosts: ['a.com'],
    deniedHosts: [],
    allowHttp: true,
    allowedPorts: [8443],
    verifyOwnership: false,
    allowedCertificates: null,
  })
  expect(() => readDestinations('["a.com",null,null,null,null,null]')).toThrow()
})
