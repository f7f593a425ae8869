import { describe, expect, test } from 'vitest'
import {
  type CatalogueEntry,
  compileCatalogue,
  draftEventType,
  enforce,
  eventTypeBodySchema,
  exampleText,
} from '../../../src/catalogue/catalogue.ts'
import { planImport } from '../../../src/catalogue/import-plan.ts'

const INVOICE = JSON.stringify({
  type: 'object',
  required: ['object'],
  properties: { object: { type: 'object', properties: { total: { type: 'number' } } } },
})
const TYPES: CatalogueEntry[] = [
  { name: 'invoice.paid', schema: INVOICE, deprecated: false },
  { name: 'invoice.seen', schema: INVOICE, deprecated: true },
  { name: 'free', schema: null, deprecated: false },
  { name: 'broken', schema: '{"type":', deprecated: false },
]
const RIGHT = { object: { total: 5 } }
const WRONG = { object: { total: '5' } }
const TOTAL = { path: 'data.object.total', message: 'must be number, not string' }

describe('a catalogue', () => {
  const catalogue = compileCatalogue(TYPES, 'reject')

  test('knows its types and no others', () => {
    expect(catalogue.check('invoice.paid', RIGHT)).toBeNull()
    expect(catalogue.check('free', { anything: [] })).toBeNull()
    for (const type of ['invoice', 'invoice.paid.twice', 'constructor', '__proto__', 'toString']) {
      expect(catalogue.check(type, RIGHT)).toEqual({ kind: 'unknown_type' })
    }
  })

  test('says where data does not match, each time it is asked', () => {
    for (let i = 0; i < 2; i++) {
      expect(catalogue.check('invoice.paid', WRONG)).toEqual({ kind: 'invalid', problems: [TOTAL] })
    }
    expect(catalogue.check('invoice.paid', null)?.kind).toBe('invalid')
  })

  test('does not take data for valid whose schema can no longer be read', () => {
    expect(catalogue.check('broken', RIGHT)).toMatchObject({
      kind: 'invalid',
      problems: [{ path: 'data', message: expect.stringContaining('must be saved again') }],
    })
  })

  test('has nothing to say while enforcement is off', () => {
    expect(compileCatalogue(TYPES, 'off').check('unknown', WRONG)).toBeNull()
  })
})

describe('enforcement', () => {
  const apply = (eventTypeEnforcement: 'off' | 'warn' | 'reject', type: string, data: unknown) =>
    enforce(
      { catalogue: compileCatalogue(TYPES, eventTypeEnforcement), settings: { eventTypeEnforcement } },
      { type, data },
    )
  const unknown = {
    path: 'event',
    message: expect.stringMatching(/must be a type of the catalogue.*"x" is not in it/),
  }

  test('off: everything is accepted without a word', () => {
    for (const type of ['invoice.paid', 'invoice.seen', 'x'])
      expect(apply('off', type, WRONG)).toEqual({ kind: 'ok' })
  })

  test('warn: everything is accepted, with what is wrong', () => {
    expect(apply('warn', 'invoice.paid', RIGHT)).toEqual({ kind: 'ok' })
    expect(apply('warn', 'x', RIGHT)).toEqual({
      kind: 'warned',
      warnings: [expect.stringMatching(/^event .*"x"/)],
    })
    expect(apply('warn', 'invoice.paid', WRONG)).toEqual({
      kind: 'warned',
      warnings: ['data.object.total must be number, not string'],
    })
    expect(apply('warn', 'invoice.seen', WRONG)).toEqual({
      kind: 'warned',
      warnings: [
        'data.object.total must be number, not string',
        'event: the type "invoice.seen" is deprecated',
      ],
    })
  })

  test('reject: what is unknown or wrong is refused, what is deprecated is accepted with a warning', () => {
    expect(apply('reject', 'x', RIGHT)).toEqual({ kind: 'rejected', details: [unknown] })
    expect(apply('reject', 'invoice.seen', WRONG)).toEqual({ kind: 'rejected', details: [TOTAL] })
    expect(apply('reject', 'invoice.seen', RIGHT)).toEqual({
      kind: 'warned',
      warnings: ['event: the type "invoice.seen" is deprecated'],
    })
    expect(apply('reject', 'free', WRONG)).toEqual({ kind: 'ok' })
  })

  test('a budget shared by a request is spent by all its events', () => {
    const catalogue = compileCatalogue(TYPES, 'reject')
    const budget = { steps: 10 }
    const kinds = Array.from(
      { length: 10 },
      () =>
        enforce(
          { catalogue, settings: { eventTypeEnforcement: 'reject' } },
          { type: 'invoice.paid', data: RIGHT },
          budget,
        ).kind,
    )
    expect(kinds[0]).toBe('ok')
    expect(kinds.at(-1)).toBe('rejected')
  })
})

describe('what is saved of a type', () => {
  test('is its example to the character, unless there is too much white space in it', () => {
    const text = '{"example" : {"total": 2567.50, "no": 12345678901234567890}}'
    const body = eventTypeBodySchema.parse(JSON.parse(text))
    expect(draftEventType('a', body, exampleText(text, 0)).example).toBe(
      '{"total": 2567.50, "no": 12345678901234567890}',
    )
    const wide = `{"example":{"total":${' '.repeat(32_000)}2567.50}}`
    expect(draftEventType('a', body, exampleText(wide, 0)).example).toMatch(/^\{"total":2567\.5,/)
  })

  test('has nothing in what was left out or null', () => {
    const empty = {
      name: 'a',
      description: null,
      group: null,
      schema: null,
      example: null,
      deprecated: false,
    }
    expect(draftEventType('a', {})).toEqual(empty)
    const nulls = { description: null, group: null, schema: null, example: null }
    expect(draftEventType('a', nulls, 'null')).toEqual(empty)
  })
})

describe('the plan of an import', () => {
  const draft = (name: string, schema: string | null = null) => ({ ...draftEventType(name, {}), schema })
  const holding = (types: number, schemaBytes = 0) => ({
    types,
    schemaBytes,
    known: new Map([
      ['same', { changed: [], schemaBytes: 100 }],
      ['other', { changed: ['schema' as const], schemaBytes: 100 }],
    ]),
  })

  test('sorts types into new, changed and the same, and writes only what is not the same', () => {
    const plan = planImport([draft('new'), draft('same'), draft('other')], holding(2))
    expect(plan).toMatchObject({ created: ['new'], updated: ['other'], unchanged: ['same'], skipped: [] })
    expect(plan.changes).toEqual([{ name: 'other', fields: ['schema'] }])
    expect(plan.write.map(({ name }) => name)).toEqual(['new', 'other'])
  })

  test('a full catalogue takes no new types, and still changes the ones it has', () => {
    const plan = planImport([draft('n1'), draft('n2'), draft('other')], holding(999))
    expect(plan).toMatchObject({ created: ['n1'], updated: ['other'] })
    expect(plan.skipped).toEqual([{ name: 'n2', reason: expect.stringMatching(/full.*at most 1,000 types/) }])
  })

  test('schemas have room for so many bytes, counted without those they replace', () => {
    const full = holding(2, 4_000_000)
    expect(planImport([draft('other', 'x'.repeat(100)), draft('new')], full).skipped).toEqual([])
    expect(planImport([draft('other', 'é'.repeat(51))], full).skipped).toHaveLength(1)
  })
})
