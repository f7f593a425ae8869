import * as z from 'zod'

/** A JSON Schema of 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Record<string, unknown>

/** Whether a schema describes what a caller sends or what it is answered: defaults and conversions differ. */
export type Side = 'input' | 'output'

const NAMED = '#/$defs/'
/** Bounds that every whole number has; they say nothing. */
const SAFE_BOUNDS: ReadonlySet<unknown> = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])

/**
 * Writes the JSON Schemas of one document. A schema with a name (`meta({ id })`) becomes a component; one that zod
 * cannot describe itself is described by the schema of its `meta({ like })`.
 */
export class SchemaWriter {
  /** The components so far, by name. */
  readonly components: Record<string, JsonSchema> = {}
  readonly #written = { input: new Map<z.ZodType, JsonSchema>(), output: new Map<z.ZodType, JsonSchema>() }

  /** Describes a schema, by a reference where it has a name. */
  write(schema: z.ZodType, side: Side): JsonSchema {
    const known = this.#written[side].get(schema)
    if (known !== undefined) return known
    const { $schema: _, $defs = {}, ...own } = this.#convert(schema, side)
    for (const [name, component] of Object.entries($defs as Record<string, JsonSchema>)) {
      this.#keep(name, withComponents(component))
    }
    const written = withComponents(own)
    this.#written[side].set(schema, written)
    return written
  }

  #convert(schema: z.ZodType, io: Side): JsonSchema {
    return z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ jsonSchema, zodSchema }) => {
        const isOpen = zodSchema._zod.def.type === 'object' && zodSchema._zod.def.catchall === undefined
        this.#simplify(jsonSchema as JsonSchema, io, isOpen)
      },
    })
  }

  /** Replaces what `like` describes; takes out what says nothing, or would close an answer to later members. */
  #simplify(json: JsonSchema, side: Side, isOpen: boolean): void {
    const { like, description, example } = json
    if (like instanceof z.ZodType) {
      for (const name of Object.keys(json)) delete json[name]
      Object.assign(json, this.write(like, side), description && { description }, example && { example })
    }
    if (isOpen && json['additionalProperties'] === false) delete json['additionalProperties']
    if (json['format'] === 'date-time' || json['format'] === 'date') delete json['pattern']
    if (SAFE_BOUNDS.has(json['minimum'])) delete json['minimum']
    if (SAFE_BOUNDS.has(json['maximum'])) delete json['maximum']
    if (isAnyName(json['propertyNames'])) delete json['propertyNames']
    if ('default' in json) tellDefault(json, side)
  }

  /** A name stands for one schema, on both sides: clients make one type of it. */
  #keep(name: string, json: JsonSchema): void {
    const known = this.components[name]
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(json)) {
      throw new Error(`the API document has two schemas called ${name}`)
    }
    this.components[name] = json
  }
}

/** The reference to a component. */
export function componentRef(kind: string, name: string): string {
  return `#/components/${kind}/${name}`
}

/** Rewrites zod's own references to those of the document. */
function withComponents(json: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(json), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' && value.startsWith(NAMED)
      ? componentRef('schemas', value.slice(NAMED.length))
      : value,
  ) as JsonSchema
}

/** Generators take a member with a `default` for one that is always there; in words it says the same. */
function tellDefault(json: JsonSchema, side: Side): void {
  const { default: value, description } = json
  delete json['default']
  if (side === 'output') return
  const words = `${JSON.stringify(value)} when left out`
  json['description'] = typeof description === 'string' ? `${description}; ${words}` : words
}

function isAnyName(names: unknown): boolean {
  return JSON.stringify(names) === '{"type":"string"}'
}
