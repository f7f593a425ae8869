import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDestination } from '../../../src/destination/url.ts'

const PRODUCTION = { allowPrivate: false, ownHostnames: ['Relay.Acme.com', 'acme.workers.dev.', ''] }
const LOCAL = { allowPrivate: true, ownHostnames: [] }

describe('public destinations', () => {
  test.each([
    ['https://your-app.com/hooks', 'https://your-app.com/hooks'],
    ['HTTPS://Your-App.COM', 'https://your-app.com/'],
    ['https://your-app.com:443/a?b=c&d=e', 'https://your-app.com/a?b=c&d=e'],
    ['https://bücher.example.org/ü', 'https://xn--bcher-kva.example.org/%C3%BC'],
    ['https://my_app.example.com/%23x', 'https://my_app.example.com/%23x'],
    ['https://a-1.co/path/@user', 'https://a-1.co/path/@user'],
    ['https://1.example.com', 'https://1.example.com/'],
    ['https://localhost.example.com', 'https://localhost.example.com/'],
    ['https://notrelay.acme.com', 'https://notrelay.acme.com/'],
    ['https://acme.com', 'https://acme.com/'],
  ])('%s may be delivered to', (text, href) => {
    const check = checkDestination(text, PRODUCTION)
    expect(check.ok && check.url).toBe(href)
  })

  test('http is for workspaces that allow it, on its standard port', () => {
    const rules = { ...PRODUCTION, allowHttp: true }
    expect(checkDestination('http://your-app.com/', rules)).toMatchObject({ ok: true })
    expect(checkDestination('http://your-app.com:443/', rules)).toMatchObject({ reason: 'port' })
    expect(checkDestination('http://127.0.0.1/', rules)).toMatchObject({ reason: 'ip_address' })
  })
})

describe('hostile and mistaken destinations', () => {
  test.each([
    // every notation of an address
    ['https://127.0.0.1/', 'ip_address'],
    ['https://8.8.8.8/', 'ip_address'],
    ['https://2130706433/', 'ip_address'],
    ['https://0x7f000001/', 'ip_address'],
    ['https://0x7f.1/', 'ip_address'],
    ['https://0X7F.0.0.1/', 'ip_address'],
    ['https://0177.0.0.1/', 'ip_address'],
    ['https://017700000001/', 'ip_address'],
    ['https://127.1/', 'ip_address'],
    ['https://127.0.1/', 'ip_address'],
    ['https://0/', 'ip_address'],
    ['https://0.0.0.0/', 'ip_address'],
    ['https://127.0.0.1./', 'ip_address'],
    ['https://127。0。0。1/', 'ip_address'],
    ['https://①②⑦.0.0.1/', 'ip_address'],
    ['https://\uff11\uff12\uff17.0.0.1/', 'ip_address'],
    ['https://%31%32%37.0.0.1/', 'ip_address'],
    ['https://169.254.169.254/latest/meta-data/', 'ip_address'],
    ['https://2852039166/', 'ip_address'],
    ['https://[::1]/', 'ip_address'],
    ['https://[::]/', 'ip_address'],
    ['https://[::ffff:127.0.0.1]/', 'ip_address'],
    ['https://[::ffff:7f00:1]/', 'ip_address'],
    ['https://[64:ff9b::7f00:1]/', 'ip_address'],
    ['https://[fd00:ec2::254]/', 'ip_address'],
    ['https://[2606:4700:4700::1111]/', 'ip_address'],
    // names of no public host
    ['https://localhost/', 'private_name'],
    ['https://LOCALHOST/', 'private_name'],
    ['https://ⓛocalhost/', 'private_name'],
    ['https://a.localhost/', 'private_name'],
    ['https://printer.local/', 'private_name'],
    ['https://db.internal/', 'private_name'],
    ['https://router.home.arpa/', 'private_name'],
    ['https://nas.lan/', 'private_name'],
    ...'test example invalid onion alt arpa in-addr.arpa mail consul docker intra localnet dhcp kube cluster'
      .split(' ')
      .map((name) => [`https://a.${name}/`, 'private_name'] as [string, string]),
    ['https://app.default.svc/', 'private_name'],
    ['https://kubernetes.default.svc.cluster.local/', 'private_name'],
    ['https://metadata.google.internal/computeMetadata/v1/', 'metadata_name'],
    ['https://METADATA.goog/', 'metadata_name'],
    ['https://x.metadata.goog/', 'metadata_name'],
    ['https://instance-data.ec2.internal/', 'metadata_name'],
    ['https://metadata/', 'single_label'],
    ['https://intranet-portal/', 'single_label'],
    ['https://com/', 'single_label'],
    ['https://localhost./', 'trailing_dot'],
    ['https://your-app.com./', 'trailing_dot'],
    ['https://your-app..com/', 'host_name'],
    ['https://.your-app.com/', 'host_name'],
    ['https://*.your-app.com/', 'host_name'],
    ['https://your-app.c_m/', 'host_name'],
    ['https://your-app.x/', 'host_name'],
    ['https://-x.your-app.com/', 'host_name'],
    // the relay itself
    ['https://relay.acme.com/api/v1/events', 'own_host'],
    ['https://RELAY.acme.com/', 'own_host'],
    ['https://eu.relay.acme.com/', 'own_host'],
    ['https://preview-posthorn.acme.workers.dev/', 'own_host'],
    // ports
    ['https://your-app.com:8443/', 'port'],
    ['https://your-app.com:80/', 'port'],
    ['https://your-app.com:22/', 'port'],
    // credentials
    ['https://user:pass@your-app.com/', 'userinfo'],
    ['https://user@your-app.com/', 'userinfo'],
    ['https://@your-app.com/', 'userinfo'],
    ['https://:@your-app.com/', 'userinfo'],
    ['https://your-app.com@127.0.0.1/', 'userinfo'],
    ['https://your-app.com%40127.0.0.1/', 'invalid_url'],
    // fragments
    ['https://your-app.com/#', 'fragment'],
    ['https://your-app.com/?token=a#b', 'fragment'],
    // schemes
    ['http://your-app.com/', 'scheme'],
    ['ftp://your-app.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/plain,x', 'scheme'],
    ['blob:https://your-app.com/x', 'scheme'],
    ['ws://your-app.com/', 'scheme'],
    // what the parser would quietly repair
    ['', 'invalid_url'],
    ['your-app.com/hooks', 'invalid_url'],
    ['//your-app.com/', 'invalid_url'],
    ['/hooks', 'invalid_url'],
    ['https:your-app.com', 'invalid_url'],
    ['https:/your-app.com', 'invalid_url'],
    ['https:///your-app.com', 'invalid_url'],
    ['https://', 'invalid_url'],
    ['https://?x', 'invalid_url'],
    [' https://your-app.com/', 'invalid_url'],
    ['https://your-app.com/\n', 'invalid_url'],
    ['https://your-\tapp.com/', 'invalid_url'],
    ['https://your-app.com/a b', 'invalid_url'],
    ['https://your-app.com\0.evil.com/', 'invalid_url'],
    ['https:\\\\your-app.com\\', 'invalid_url'],
    ['https://your-app.com\\@evil.com/', 'invalid_url'],
    ['https://1.2.3.4.5/', 'invalid_url'],
    ['https://256.1.1.1/', 'invalid_url'],
    ['https://app.123/', 'invalid_url'],
    ['https://[::1/', 'invalid_url'],
    ['https://[fe80::1%25eth0]/', 'invalid_url'],
    ['https://your-app.com:99999/', 'invalid_url'],
  ])('%j is refused', (text, reason) => {
    expect(checkDestination(text, PRODUCTION)).toMatchObject({
      ok: false,
      reason,
      message: expect.stringMatching(/^must /),
    })
  })

  test.each([
    ['a label of 64 characters', `https://${'a'.repeat(64)}.com/`, 'host_name'],
    ['a name of 263 characters', `https://${'a.'.repeat(130)}com/`, 'host_name'],
    ['half a character', 'https://your-app.com/\ud800', 'invalid_url'],
    ['a URL of 2,049 characters', `https://your-app.com/${'a'.repeat(2028)}`, 'too_long'],
    ['a URL that escaping makes too long', `https://your-app.com/${'ü'.repeat(1000)}`, 'too_long'],
  ])('%s is refused', (_, text, reason) => {
    expect(checkDestination(text, PRODUCTION)).toMatchObject({ ok: false, reason })
  })

  test('a URL of 2,048 characters is accepted', () => {
    expect(checkDestination(`https://your-app.com/${'a'.repeat(2027)}`, PRODUCTION).ok).toBe(true)
  })
})

describe('local runs', () => {
  test.each([
    'http://127.0.0.1:9999/hook',
    'http://localhost:3000/',
    'https://[::1]:8443/',
    'http://receiver:80/',
    'http://10.0.0.1/',
    'https://nas.local/',
    'http://localhost./',
  ])('%s is allowed', (text) => {
    expect(checkDestination(text, LOCAL)).toMatchObject({ ok: true })
  })

  test.each([
    ['http://user:pass@127.0.0.1/', 'userinfo'],
    ['ftp://127.0.0.1/', 'scheme'],
    ['http://127.0.0.1/#x', 'fragment'],
    ['http://127.0.0.1/\n', 'invalid_url'],
  ])('%s is not', (text, reason) => {
    expect(checkDestination(text, LOCAL)).toMatchObject({ ok: false, reason })
  })
})

test('a refused scheme is told which ones are taken: http too, where it is', () => {
  expect(checkDestination('localhost:3000/hooks', PRODUCTION)).toMatchObject({
    message: 'must begin with "https://"',
  })
  expect(checkDestination('localhost:3000/hooks', LOCAL)).toMatchObject({
    message: 'must begin with "http://" or "https://"',
  })
})

describe('whatever is given', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true, validSchemes: ['http', 'https'] }),
    fc.string({ unit: 'grapheme' }).map((text) => `https://${text}`),
    fc.tuple(fc.domain(), fc.string()).map(([domain, rest]) => `https://${domain}${rest}`),
    fc
      .oneof(
        fc.ipV4Extended(),
        fc.ipV6().map((ip) => `[${ip}]`),
      )
      .map((host) => `https://${host}/`),
  )

  test('it never throws, and what passes is https to a named host on the standard port', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const check = checkDestination(text, PRODUCTION)
        if (!check.ok) return
        const url = new URL(check.url)
        expect(url.protocol).toBe('https:')
        expect(url.hostname).toMatch(/^[a-z0-9_.-]*\.[a-z][a-z0-9-]*[a-z0-9]$/)
        expect(url.port + url.username + url.password + url.hash).toBe('')
      }),
      { numRuns: 2000 },
    )
  })

  test('what passes once passes again in its normalised form', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, allowPrivate) => {
        const rules = { ...PRODUCTION, allowPrivate }
        const check = checkDestination(text, rules)
        if (check.ok) expect(checkDestination(check.url, rules)).toMatchObject({ ok: true })
      }),
    )
  })

  test('an address is refused in every notation', () => {
    fc.assert(
      fc.property(fc.ipV4Extended(), (ip) => {
        expect(checkDestination(`https://${ip}/`, PRODUCTION)).toMatchObject({
          ok: false,
          reason: 'ip_address',
        })
      }),
    )
  })
})
