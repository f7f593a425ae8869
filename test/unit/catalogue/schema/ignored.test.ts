import { describe, expect, test } from 'vitest'
import { compileSchema } from '../../../../src/catalogue/schema/compile.ts'
import { ignoredKeywords } from '../../../../src/catalogue/schema/ignored.ts'

const noted = (schema: unknown) => {
  expect(compileSchema(schema)).toMatchObject({ ok: true })
  return ignoredKeywords(schema).map(({ path, message }) => `${path.join('.')} ${message}`)
}

describe('"nullable" of OpenAPI 3.0', () => {
  test.each<[unknown, string]>([
    [{ type: 'string', nullable: true }, 'write "type": ["string", "null"]'],
    [{ type: ['string', 'number'], nullable: true }, 'write "null" into "type"'],
    [{ $ref: '#/$defs/a', nullable: true, $defs: { a: {} } }, 'write "anyOf" with {"type": "null"}'],
    [{ enum: ['a'], nullable: true }, 'write "anyOf" with {"type": "null"}'],
  ])('%j', (schema, instead) => {
    expect(noted(schema)).toEqual([
      `nullable is OpenAPI 3.0's and has no effect, so null is refused: ${instead}`,
    ])
  })

  test('is found wherever a schema stands, and nowhere else', () => {
    const nullable = { type: 'string', nullable: true }
    const schema = {
      properties: { nullable: nullable, a: { items: nullable } },
      anyOf: [{ not: nullable }],
      $defs: { b: nullable },
      const: nullable,
      default: nullable,
    }
    expect(ignoredKeywords(schema).map(({ path }) => path.join('.'))).toEqual([
      'properties.nullable.nullable',
      'properties.a.items.nullable',
      'anyOf.0.not.nullable',
      '$defs.b.nullable',
    ])
  })

  test.each([
    { type: ['string', 'null'], nullable: true },
    { type: 'string', nullable: false },
    { nullable: true },
    { enum: ['a', null], nullable: true },
    { properties: { nullable: { type: 'boolean' } } },
  ])('%j takes null, or never meant to', (schema) => {
    expect(noted(schema)).toEqual([])
  })

  test('twenty are named', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`p${i}`, { type: 'string', nullable: true }]),
    )
    expect(noted({ properties })).toHaveLength(20)
  })
})
