import { describe, expect, test } from 'vitest'
import { Reach } from '../../../src/access/binding.ts'

const bound = (metadata: Record<string, string>) => new Reach({ metadata })

describe('a caller who is bound', () => {
  test.each<[Record<string, string>, boolean]>([
    [{ customerId: '42' }, true],
    [{ customerId: '42', plan: 'pro' }, true],
    [{ customerId: '421' }, false],
    [{ customerId: '' }, false],
    [{ customerid: '42' }, false],
    [{}, false],
  ])('to customerId=42 reaches metadata %j: %s', (metadata, isReached) => {
    expect(bound({ customerId: '42' }).includes(metadata)).toBe(isReached)
  })

  test('reaches only what has all of the values', () => {
    const reach = bound({ customerId: '42', region: 'eu' })
    expect(reach.includes({ customerId: '42', region: 'eu' })).toBe(true)
    expect(reach.includes({ customerId: '42' })).toBe(false)
    expect(reach.includes({ customerId: '42', region: 'us' })).toBe(false)
  })

  test.each(['constructor', 'toString', '__proto__'])(
    'to a name that every object has, %s, reaches nothing',
    (name) => {
      const reach = new Reach({ metadata: Object.fromEntries([[name, '42']]) })
      expect(reach.includes({})).toBe(false)
    },
  )
})

test('a caller who is not bound reaches all, and needs no asking', () => {
  const reach = new Reach(null)
  expect(reach.isIgnored).toBe(false)
  expect(reach.includes({})).toBe(true)
  expect(reach.binding).toBeNull()
})

test('a binding is ignored until something asks for it', () => {
  const [one, two] = [bound({ a: '1' }), bound({ a: '1' })]
  expect([one.isIgnored, two.isIgnored]).toEqual([true, true])
  one.includes({})
  expect(two.binding).toEqual({ metadata: { a: '1' } })
  expect([one.isIgnored, two.isIgnored]).toEqual([false, false])
})
