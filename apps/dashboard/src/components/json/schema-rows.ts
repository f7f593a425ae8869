/** A field that a schema describes, in words. */
export type SchemaRow = {
  /** From the data down, as rules and templates name it: `object.lines[].amount`. */
  path: string
  type: string
  isRequired: boolean
  isDeprecated: boolean
  /** What a value has to be beside its type. */
  bounds: readonly string[]
  description: string | null
}

type Schema = Record<string, unknown>

const ROWS_MAX = 400
const VALUES_SHOWN_MAX = 12

/** Schemas that a value must fit as well, or one of which it must fit. */
const COMBINATIONS = { allOf: 'all of', anyOf: 'any of', oneOf: 'one of' } as const

/** Lists the fields that a JSON Schema describes, from the outermost on. A schema within itself is named, not repeated. */
export function schemaRows(schema: unknown): SchemaRow[] {
  const reader = new SchemaReader(schema)
  reader.read(schema, { path: '', isRequired: true })
  return reader.rows
}

type Place = { path: string; isRequired: boolean }

class SchemaReader {
  readonly rows: SchemaRow[] = []
  readonly #root: unknown
  /** References that are being read: one of them again would go on for ever. */
  readonly #open = new Set<string>()

  constructor(root: unknown) {
    this.#root = root
  }

  read(given: unknown, place: Place): void {
    if (this.rows.length >= ROWS_MAX || !isSchema(given)) return
    const reference = typeof given['$ref'] === 'string' ? given['$ref'] : null
    const isAgain = reference !== null && this.#open.has(reference)
    const schema = this.#resolved(given)
    if (place.path !== '') this.rows.push({ ...rowOf(schema, place), type: this.#typeOf(schema) })
    if (isAgain) return
    if (reference !== null) this.#open.add(reference)
    this.#readInner(schema, place.path)
    if (reference !== null) this.#open.delete(reference)
  }

  #readInner(schema: Schema, path: string): void {
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    for (const [name, property] of entriesOf(schema['properties'])) {
      this.read(property, {
        path: path === '' ? name : `${path}.${name}`,
        isRequired: required.includes(name),
      })
    }
    // The items of a list have no row of their own: its row says of what it is.
    if (isSchema(schema['items'])) this.#readItems(schema['items'], `${path}[]`)
    for (const name of Object.keys(COMBINATIONS)) {
      const parts = Array.isArray(schema[name]) ? schema[name] : []
      for (const part of parts) if (isSchema(part)) this.#readPart(part, path)
    }
  }

  #readItems(items: Schema, path: string): void {
    const before = this.rows.length
    this.read(items, { path, isRequired: true })
    if (this.rows.length > before) this.rows.splice(before, 1)
  }

  /** A part of a combination describes the same value: its fields belong to that. */
  #readPart(part: Schema, path: string): void {
    const before = this.rows.length
    this.read(part, { path, isRequired: true })
    if (path !== '' && this.rows.length > before) this.rows.splice(before, 1)
  }

  /** A schema with what it refers to. */
  #resolved(schema: Schema): Schema {
    const reference = schema['$ref']
    if (typeof reference !== 'string' || !reference.startsWith('#')) return schema
    const steps = reference.slice(1).split('/').slice(1)
    const found = steps.reduce<unknown>((place, step) => memberOf(place, step), this.#root)
    return isSchema(found) ? { ...found, ...schema } : schema
  }

  #typeOf(schema: Schema): string {
    const names = [schema['type']].flat().filter((name) => typeof name === 'string')
    if (names.length === 0) return isSchema(schema['properties']) ? 'object' : 'any'
    return names.map((name) => (name === 'array' ? this.#listType(schema['items']) : name)).join(' or ')
  }

  #listType(items: unknown): string {
    const type = isSchema(items) ? this.#typeOf(this.#resolved(items)) : 'any'
    return `list of ${pluralOf(type)}`
  }
}

function rowOf(schema: Schema, { path, isRequired }: Place): Omit<SchemaRow, 'type'> {
  const description = schema['description'] ?? schema['title']
  return {
    path,
    isRequired,
    isDeprecated: schema['deprecated'] === true,
    bounds: boundsOf(schema),
    description: typeof description === 'string' ? description : null,
  }
}

function pluralOf(type: string): string {
  return type === 'any'
    ? 'anything'
    : type.replace(/^\w+/, (word) => (word === 'list' ? 'lists' : `${word}s`))
}

const NUMBER_BOUNDS: readonly (readonly [string, (value: unknown) => string])[] = [
  ['format', (value) => `as ${value}`],
  ['pattern', (value) => `matches ${value}`],
  ['minimum', (value) => `at least ${value}`],
  ['exclusiveMinimum', (value) => `more than ${value}`],
  ['maximum', (value) => `at most ${value}`],
  ['exclusiveMaximum', (value) => `less than ${value}`],
  ['multipleOf', (value) => `a multiple of ${value}`],
]

function boundsOf(schema: Schema): string[] {
  const bounds: string[] = []
  if (Array.isArray(schema['enum'])) bounds.push(`one of ${valuesInWords(schema['enum'])}`)
  if (Object.hasOwn(schema, 'const')) bounds.push(`always ${JSON.stringify(schema['const'])}`)
  for (const [name, say] of NUMBER_BOUNDS) if (schema[name] !== undefined) bounds.push(say(schema[name]))
  bounds.push(...countBounds(schema, 'Length', 'character'), ...countBounds(schema, 'Items', 'item'))
  if (schema['uniqueItems'] === true) bounds.push('no item twice')
  if (schema['additionalProperties'] === false) bounds.push('no other fields')
  for (const [name, words] of Object.entries(COMBINATIONS)) {
    const parts = schema[name]
    if (Array.isArray(parts) && name !== 'allOf') bounds.push(`${words} ${parts.length} forms`)
  }
  return bounds
}

/** `minItems` and `maxItems`, or the same of a text's length, in words. */
function countBounds(schema: Schema, name: 'Length' | 'Items', unit: string): string[] {
  const [least, most] = [schema[`min${name}`], schema[`max${name}`]]
  const say = (count: unknown) => `${count} ${unit}${count === 1 ? '' : 's'}`
  if (least !== undefined && least === most) return [`exactly ${say(least)}`]
  return [
    ...(least === undefined ? [] : [`at least ${say(least)}`]),
    ...(most === undefined ? [] : [`at most ${say(most)}`]),
  ]
}

function valuesInWords(values: readonly unknown[]): string {
  const shown = values.slice(0, VALUES_SHOWN_MAX).map((value) => JSON.stringify(value))
  const more = values.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entriesOf(value: unknown): [string, unknown][] {
  return isSchema(value) ? Object.entries(value) : []
}

function memberOf(value: unknown, step: string): unknown {
  const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
