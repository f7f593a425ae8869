import { describe, expect, test } from 'vitest'
import { shownFields } from '../../../src/audit/shown-fields.ts'

const shown = (named: unknown) => JSON.parse(shownFields(named)) as unknown

describe('the fields that a call names', () => {
  test('are shown with their values where they say what was done', () => {
    const named = {
      active: false,
      events: ['a.*'],
      retentionDays: 30,
      name: 'billing',
      secret: null,
      url: undefined,
    }
    expect(shown(named)).toEqual({
      active: false,
      events: ['a.*'],
      retentionDays: 30,
      name: 'billing',
      secret: null,
    })
  })

  test.each([
    ['a signing secret', { secret: 'the-secret-of-acme' }],
    ['credentials', { auth: { type: 'bearer', token: 'the-secret-of-acme' } }],
    ['headers', { headers: { 'X-Api-Key': 'the-secret-of-acme' } }],
    ['metadata', { metadata: { note: 'the-secret-of-acme' } }],
    ['a payload', { data: { note: 'the-secret-of-acme' } }],
    ['a field that is not known', { token: 'the-secret-of-acme', pin: 123_456 }],
    ['a URL that is a credential', { url: 'https://a.example.com/?token=the-secret-of-acme' }],
    ['a value that is long', { description: `the-secret-of-acme ${'x'.repeat(400)}` }],
  ])('are masked where they are %s', (_, named) => {
    expect(shownFields(named)).not.toMatch(/secret-of-acme|123456/)
    expect(Object.keys(shown(named) as object)).toEqual(Object.keys(named))
  })

  test('are bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`${'n'.repeat(500)}${n}`, n]))
    expect(shownFields(many).length).toBeLessThan(10_000)
  })

  test.each([[null], [[1, 2]], ['text'], [undefined]])('of %j are none', (named) => {
    expect(shownFields(named)).toBe('{}')
  })
})
