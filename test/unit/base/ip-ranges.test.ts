import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { containsIpRange, ipRangeProblem, isInIpRanges } from '../../../src/base/ip-ranges.ts'

test.each([
  '203.0.113.7',
  '203.0.113.0/24',
  '0.0.0.0/0',
  '255.255.255.255/32',
  '2001:db8::1',
  '2001:db8::/32',
  '::/0',
  '::1/128',
])('%s is a range', (text) => {
  expect(ipRangeProblem(text)).toBeNull()
})

test.each([
  '',
  '/',
  '203.0.113.0/',
  '203.0.113.0/33',
  '203.0.113.0/-1',
  '203.0.113.0/08',
  '203.0.113.0/24/8',
  '203.0.113.0/255.255.255.0',
  '203.0.113',
  '203.0.113.256',
  '0xcb.0.113.7',
  '0313.0.113.7',
  '3405803783',
  '203.0.113.7 ',
  '2001:db8::/129',
  '2001:db8::g',
  'fe80::1%eth0',
  'relay.example.com',
  '*',
])('%j is none', (text) => {
  expect(ipRangeProblem(text)).toMatch(/^must be an IP address or a range/)
})

test.each([
  ['203.0.113.7/24', '203.0.113.0/24'],
  ['10.0.0.1/8', '10.0.0.0/8'],
  ['2001:db8::1/32', '2001:db8::/32'],
])('%s is a slip, and the range is named that it would be', (text, meant) => {
  expect(ipRangeProblem(text)).toContain(meant)
})

describe('an address', () => {
  test.each([
    ['203.0.113.7', ['203.0.113.0/24'], true],
    ['203.0.114.7', ['203.0.113.0/24'], false],
    ['203.0.114.7', ['203.0.113.0/24', '203.0.114.7'], true],
    ['203.0.113.7', [], false],
    ['::ffff:203.0.113.7', ['203.0.113.0/24'], true],
    ['203.0.113.7', ['::/0'], false],
    ['2001:db8::7', ['2001:db8::/32'], true],
    ['2001:DB8:0:0::7', ['2001:db8::7'], true],
    ['2001:db9::7', ['2001:db8::/32'], false],
    ['', ['0.0.0.0/0', '::/0'], false],
    ['unknown', ['0.0.0.0/0', '::/0'], false],
  ])('%j is in %j: %j', (address, ranges, expected) => {
    expect(isInIpRanges(address, ranges)).toBe(expected)
  })

  test('is in a range exactly if its first bits are those of the range', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, start, bits) => {
        const same = bits === 0 || numberOf(address) >>> (32 - bits) === numberOf(start) >>> (32 - bits)
        expect(isInIpRanges(address, [`${start}/${bits}`])).toBe(same)
      }),
    )
  })
})

test.each([
  ['203.0.113.0/24', '203.0.113.128/25', true],
  ['203.0.113.0/24', '203.0.113.7', true],
  ['203.0.113.0/24', '203.0.113.0/24', true],
  ['203.0.113.0/24', '203.0.112.0/23', false],
  ['203.0.113.0/24', '203.0.114.0/25', false],
  ['0.0.0.0/0', '2001:db8::/32', false],
])('%s contains %s: %j', (outer, inner, expected) => {
  expect(containsIpRange(outer, inner)).toBe(expected)
})

function numberOf(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}
