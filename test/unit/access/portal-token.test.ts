import { beforeAll, describe, expect, test } from 'vitest'
import { isOfEpoch, type PortalClaims, PortalTokens } from '../../../src/access/portal/token.ts'

const secret = (fill: number) => new Uint8Array(32).fill(fill)
const [ONE, OTHER] = [secret(1), secret(2)]
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const CLAIMS: PortalClaims = {
  id: '0123456789abcdef',
  workspaceId: 'shop',
  workspaceMadeAtMs: 1_793_000_000_000,
  epoch: 7,
  scopes: ['webhooks:read', 'deliveries:read'],
  binding: { metadata: { customerId: '42' } },
  theme: { name: 'Größe & Co', logo: 'https://cdn.example.com/logo.svg', accentColor: '#0a5fd8' },
  subject: 'jane@example.com',
  expiresAtMs: 1_793_003_600_000,
}

const tokens = new PortalTokens([ONE])
let token: string
beforeAll(async () => {
  token = await tokens.sign(CLAIMS)
})

test('a token says what was signed, and nothing of it is more than one word of a header', async () => {
  expect(await tokens.read(token)).toEqual(CLAIMS)
  expect(token).toMatch(/^php_[\w-]+\.[\w-]{43}$/)
})

test('an expired one is read, so that its holder can be told', async () => {
  expect(await tokens.read(await tokens.sign({ ...CLAIMS, expiresAtMs: 1 }))).toMatchObject({
    expiresAtMs: 1,
  })
})

test('one that is bent in any one bit is none', async () => {
  const bent = [...token].flatMap((letter, at) => {
    const value = ALPHABET.indexOf(letter)
    if (at < 4 || value === -1) return []
    return [0, 1, 2, 3, 4, 5].map(
      (bit) => token.slice(0, at) + ALPHABET.charAt(value ^ (1 << bit)) + token.slice(at + 1),
    )
  })
  expect(bent.length).toBeGreaterThan(2_000)
  const read = await Promise.all(bent.map((each) => tokens.read(each)))
  expect(read.filter((claims) => claims !== null)).toEqual([])
})

test.each<[string, (token: string) => string]>([
  ['nothing', () => ''],
  ['the prefix alone', () => 'php_'],
  ['no signature', (whole) => whole.slice(0, whole.indexOf('.'))],
  ['an empty signature', (whole) => whole.slice(0, whole.indexOf('.') + 1)],
  ['an empty body', (whole) => `php_${whole.slice(whole.indexOf('.'))}`],
  ['a third part', (whole) => `${whole}.${whole.slice(-43)}`],
  ['padding', (whole) => `${whole}=`],
  ['a blank', (whole) => `${whole} `],
  ['another prefix', (whole) => `phk_${whole.slice(4)}`],
  ['a megabyte', (whole) => whole.replace('.', `${'A'.repeat(1_000_000)}.`)],
])('a text with %s is none', async (_, change) => {
  expect(await tokens.read(change(token))).toBeNull()
})

test('signed claims that are of no known form are none', async () => {
  const odd = { ...CLAIMS, scopes: ['everything'] } as unknown as PortalClaims
  expect(await tokens.read(await tokens.sign(odd))).toBeNull()
})

describe('while the key is changed', () => {
  test('tokens of the key before are good, new ones are of the new key, and both end with their keys', async () => {
    const changing = new PortalTokens([OTHER, ONE])
    expect(await changing.read(token)).toEqual(CLAIMS)
    const fresh = await changing.sign(CLAIMS)
    expect(await new PortalTokens([OTHER]).read(fresh)).toEqual(CLAIMS)
    expect(await new PortalTokens([OTHER]).read(token)).toBeNull()
    expect(await tokens.read(fresh)).toBeNull()
  })
})

test.each([
  ['its epoch', { epoch: 7, workspaceMadeAtMs: CLAIMS.workspaceMadeAtMs }, true],
  ['a later epoch', { epoch: 8, workspaceMadeAtMs: CLAIMS.workspaceMadeAtMs }, false],
  ['another workspace of its name', { epoch: 7, workspaceMadeAtMs: CLAIMS.workspaceMadeAtMs + 1 }, false],
  ['no workspace', null, false],
])('a token counts in %s: %j is %s', (_, epoch, counts) => {
  expect(isOfEpoch(epoch, CLAIMS)).toBe(counts)
})
