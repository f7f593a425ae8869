import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Decimal } from '../../../../src/base/json/decimal.ts'

const decimal = (text: string) => Decimal.parse(text) ?? expect.fail(`${text} is a number`)
/** Numbers of up to 30 digits with a point anywhere, as JSON writes them. */
const texts = fc
  .tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.nat(12))
  .map(([digits, scale]) => `${digits}e-${scale}`)
const shown = (number: Decimal) => String(number).replace(/\.0$/, '')

test('sums, products, quotients and rests undo and make up one another', () => {
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      const [left, right] = [decimal(a), decimal(b)]
      expect(shown(left.plus(right).minus(right))).toBe(shown(left))
      if (right.isZero) return
      expect(shown(left.times(right).dividedBy(right))).toBe(shown(left))
      const whole = left.wholeQuotient(right)
      expect(shown(whole.times(right).plus(left.modulo(right)))).toBe(shown(left))
    }),
  )
})

test('whole numbers are rounded to as BigInt does, and halves away from zero', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (digits) => {
      const tenths = decimal(`${digits}e-1`)
      expect(String(tenths.truncated())).toBe(String(digits / 10n))
      expect(String(tenths.floor())).toBe(String((digits - (((digits % 10n) + 10n) % 10n)) / 10n))
      expect(shown(tenths.round(0))).toBe(String((digits + (digits < 0n ? -5n : 5n)) / 10n))
      expect(shown(tenths.ceil().minus(decimal('1')))).toBe(
        String(tenths.floor().minus(digits % 10n === 0n ? decimal('1') : Decimal.ZERO)),
      )
    }),
  )
})

test.each([
  ['185.00', '185.0'],
  ['185', '185'],
  ['-0.50', '-0.5'],
  ['.5', '0.5'],
  ['5.', '5.0'],
  ['1e3', '1000.0'],
  ['25e-4', '0.0025'],
  ['00012', '12'],
])('%s prints as %s', (text, printed) => {
  expect(String(decimal(text))).toBe(printed)
})

test.each(['', '.', 'e5', '1e', '0x10', '1 2', 'NaN', 'Infinity', '1,5'])('"%s" is no number', (text) => {
  expect(Decimal.parse(text)).toBeNull()
})
