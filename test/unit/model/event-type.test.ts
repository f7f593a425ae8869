import { describe, expect, test } from 'vitest'
import { eventPatternSchema, eventTypeSchema, patternMatches } from '../../../src/model/event-type.ts'

const LONGEST = 'a'.repeat(128)

describe('an event type', () => {
  test.each([
    'a',
    'invoice.paid',
    'entry_persisted',
    'customer.credit_limit_exceeded',
    'A-Z_0.9',
    '-',
    '_',
    '0',
    'a.b.c.d.e.f',
    'posthorn.endpoint.disabled',
    'constructor',
    '__proto__',
    '__proto__.toString',
    LONGEST,
  ])('may be %s', (type) => {
    expect(eventTypeSchema.safeParse(type).success).toBe(true)
  })

  test.each([
    '',
    '.',
    '.a',
    'a.',
    'a..b',
    '*',
    'a.*',
    'a b',
    'a/b',
    'a:b',
    'é',
    'a\n',
    '\na',
    'a\u0000',
    `${LONGEST}a`,
    7,
    null,
    ['a'],
    {},
  ])('may not be %j', (type) => {
    expect(eventTypeSchema.safeParse(type).success).toBe(false)
  })
})

describe('a pattern', () => {
  test.each([
    '*',
    'a',
    'a.*',
    'invoice.paid.*',
    'posthorn.*',
    '__proto__',
    '__proto__.*',
    LONGEST,
    `${LONGEST}.*`,
  ])('may be %s', (pattern) => {
    expect(eventPatternSchema.safeParse(pattern).success).toBe(true)
  })

  test.each([
    '',
    '**',
    '*.*',
    '.*',
    '*.a',
    'a*',
    'a.*.b',
    'a.*.*',
    'a..*',
    'a. *',
    ' *',
    '*\n',
    'a.*\n',
    `${LONGEST}a`,
    1,
    null,
  ])('may not be %j', (pattern) => {
    expect(eventPatternSchema.safeParse(pattern).success).toBe(false)
  })
})

describe('matching', () => {
  test.each([
    ['invoice.paid', 'invoice.paid', true],
    ['invoice.paid', 'invoice.paid.late', false],
    ['invoice.paid', 'Invoice.paid', false],
    ['invoice', 'invoice.paid', false],
    ['invoice.*', 'invoice.paid', true],
    ['invoice.*', 'invoice.paid.late', true],
    ['invoice.*', 'invoice', false],
    ['invoice.*', 'invoices.paid', false],
    ['invoice.*', 'sales.invoice.paid', false],
    ['a.b.*', 'a.b.c', true],
    ['a.b.*', 'a.bc', false],
    ['*', 'invoice', true],
    ['*', 'a.b.c', true],
    ['*', 'posthorn', true],
    ['*', 'posthornish.a', true],
    ['*', 'a.posthorn.b', true],
    ['*', 'posthorn.endpoint', false],
    ['*', 'posthorn.endpoint.disabled', false],
    ['posthorn.*', 'posthorn.endpoint.disabled', true],
    ['posthorn.endpoint', 'posthorn.endpoint', true],
    ['constructor', '__proto__', false],
    ['__proto__', '__proto__', true],
    ['__proto__.*', '__proto__.a', true],
  ])('%s on %s is %s', (pattern, type, matches) => {
    expect(patternMatches(pattern, type)).toBe(matches)
  })
})
