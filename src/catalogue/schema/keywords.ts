import { isRecord } from '../../base/json/value.ts'

/** The values that a keyword's schemas apply to: the same value, some of its members or items, or none. */
export type Role = 'same' | 'undeclared' | 'members' | 'names' | 'leading' | 'following' | 'items' | 'none'

/** The form in which a keyword holds schemas, and where they apply. */
export type Applicator = { form: 'one' | 'list' | 'map'; role: Role }

/** Keywords that hold schemas. */
export const APPLICATORS = new Map<string, Applicator>([
  ...(['allOf', 'anyOf', 'oneOf'] as const).map((name) => [name, { form: 'list', role: 'same' }] as const),
  ...(['not', 'if', 'then', 'else'] as const).map((name) => [name, { form: 'one', role: 'same' }] as const),
  ['dependentSchemas', { form: 'map', role: 'same' }],
  ['properties', { form: 'map', role: 'none' }],
  ['additionalProperties', { form: 'one', role: 'undeclared' }],
  ['unevaluatedProperties', { form: 'one', role: 'members' }],
  ['propertyNames', { form: 'one', role: 'names' }],
  ['prefixItems', { form: 'list', role: 'leading' }],
  ['items', { form: 'one', role: 'following' }],
  ['contains', { form: 'one', role: 'items' }],
  ['unevaluatedItems', { form: 'one', role: 'items' }],
  ['$defs', { form: 'map', role: 'none' }],
  ['definitions', { form: 'map', role: 'none' }],
])

const unbounded = (instead: string) =>
  `is not supported: regular expressions are not bounded in time; leave it out, or use ${instead}`
const LATER = 'is not supported: use "$ref" with "#/$defs/…"'

/** Keywords that would change what a schema means and are not applied here. */
export const REFUSED = new Map([
  ['pattern', unbounded('"enum" or "format"')],
  ['patternProperties', unbounded('"additionalProperties"')],
  ['$dynamicRef', LATER],
  ['$recursiveRef', LATER],
  ['dependencies', 'is not of JSON Schema 2020-12: use "dependentRequired" or "dependentSchemas"'],
  ['additionalItems', 'is not of JSON Schema 2020-12: use "prefixItems" and "items"'],
])

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
/** Formats that are checked; others are annotations, as all are in 2020-12's default. */
export const FORMATS: readonly unknown[] = [
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
]

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isNames = (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === 'string')
const isType = (value: unknown) => TYPES.includes(value as string)

const COUNT = {
  test: (v: unknown) => Number.isInteger(v) && Number(v) >= 0,
  hint: 'a whole number, at least 0',
}
const NUMBER = { test: isNumber, hint: 'a number' }
const TEXT = { test: (value: unknown) => typeof value === 'string', hint: 'a string' }
const NAMES = { test: isNames, hint: 'a list of property names' }
const DIALECT = /^https?:\/\/(json-schema\.org\/draft\/2020-12\/schema|spec\.openapis\.org\/oas\/3\.1\/.*)#?$/

/** Tests of the other keywords' values; a keyword that is found nowhere is an annotation. */
export const VALUES = new Map<string, { test: (value: unknown) => boolean; hint: string }>([
  ['minLength', COUNT],
  ['maxLength', COUNT],
  ['minItems', COUNT],
  ['maxItems', COUNT],
  ['minProperties', COUNT],
  ['maxProperties', COUNT],
  ['minContains', COUNT],
  ['maxContains', COUNT],
  ['minimum', NUMBER],
  ['maximum', NUMBER],
  ['exclusiveMinimum', NUMBER],
  ['exclusiveMaximum', NUMBER],
  ['$id', TEXT],
  ['$anchor', TEXT],
  ['$dynamicAnchor', TEXT],
  ['multipleOf', { test: (value) => isNumber(value) && value > 0, hint: 'a number above 0' }],
  ['uniqueItems', { test: (value) => typeof value === 'boolean', hint: 'true or false' }],
  ['format', TEXT],
  ['required', NAMES],
  [
    'dependentRequired',
    {
      test: (value) => isRecord(value) && Object.values(value).every(isNames),
      hint: 'an object of property names, each with a list of property names',
    },
  ],
  [
    'enum',
    { test: (value) => Array.isArray(value) && value.length > 0, hint: 'a list of at least one value' },
  ],
  ['const', { test: () => true, hint: 'a value' }],
  [
    'type',
    {
      test: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
      hint: `one of ${TYPES.join(', ')}, or a list of them`,
    },
  ],
  [
    '$ref',
    {
      test: (value) => typeof value === 'string' && pointerKey(value) !== null,
      hint: 'a reference within this schema, such as "#/$defs/Customer"',
    },
  ],
  [
    '$schema',
    {
      test: (value) => typeof value === 'string' && DIALECT.test(value),
      hint: '"https://json-schema.org/draft/2020-12/schema", or left out',
    },
  ],
])
/** Keywords that are read here and mean nothing to the validator. */
export const NOT_PASSED_ON = new Set(['$ref', '$schema', '$id', '$anchor', '$dynamicAnchor'])

/** Writes a reference as `keyOf` writes a place; null for anything but `#` and `#/…`. */
export function pointerKey(reference: string): string | null {
  if (reference === '#') return keyOf([])
  if (!reference.startsWith('#/')) return null
  try {
    return keyOf(reference.slice(2).split('/').map(pointerName))
  } catch {
    return null
  }
}

/** A place in a schema as a key of maps. */
export const keyOf = (path: readonly (string | number)[]) => JSON.stringify(path.map(String))

/** Reads one name of a JSON pointer in a URI fragment (RFC 6901, section 6); throws on a broken escape. */
export function pointerName(text: string): string {
  return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
}
