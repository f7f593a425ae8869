import type { ApiDocument, Schema } from './document.ts'

/** A schema's type in a few words, such as `list of Attempt`. */
export function typeInWords(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? ''
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return [...new Set(choices.map(typeInWords))].join(' or ')
  if (schema.type === 'array')
    return schema.items === undefined ? 'list' : `list of ${typeInWords(schema.items)}`
  if (schema.type === undefined)
    return schema.allOf === undefined ? 'any value' : schema.allOf.map(typeInWords).join(' and ')
  const types = [schema.type].flat().join(' or ')
  return schema.format === undefined ? types : `${types} (${schema.format})`
}

/** The bounds of a value in words; empty where it has none. */
export function boundsInWords(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, pattern } = schema
  const words = [
    range(minimum, maximum, ''),
    exclusiveMinimum === undefined ? '' : `more than ${exclusiveMinimum}`,
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
    pattern === undefined ? '' : `matches \`${pattern}\``,
  ]
  return words.filter((each) => each !== '').join('; ')
}

function range(min: number | undefined, max: number | undefined, unit: string): string {
  if (min !== undefined && max !== undefined) return `${shown(min)} to ${shown(max)}${unit}`
  if (min !== undefined) return `at least ${shown(min)}${unit}`
  return max === undefined ? '' : `at most ${shown(max)}${unit}`
}

function shown(value: number): string {
  return value.toLocaleString('en-US')
}

type Part = { name: string | null; schema: Schema }

/** A schema may hold itself in lists and choices: those are not followed further. */
const DEPTH_MAX = 5

/** The schemas that have members of their own to be shown below this one, each with a name where there are several. */
export function partsOf(document: ApiDocument, schema: Schema, depth = 0): Part[] {
  if (depth > DEPTH_MAX) return []
  const own = document.resolve<Schema>(schema)
  const choices = own.anyOf ?? own.oneOf ?? own.allOf
  if (choices !== undefined) return partsOfChoices(document, choices, depth)
  if (own.items !== undefined) return partsOf(document, own.items, depth + 1)
  if (own.properties !== undefined) return [{ name: null, schema: own }]
  const { additionalProperties: values } = own
  return typeof values === 'object' ? partsOf(document, values, depth + 1) : []
}

function partsOfChoices(document: ApiDocument, choices: readonly Schema[], depth: number): Part[] {
  const parts = choices.flatMap((choice) =>
    partsOf(document, choice, depth + 1).map((part) => ({ ...part, name: part.name ?? typeInWords(choice) })),
  )
  return parts.length === 1 ? parts.map((part) => ({ ...part, name: null })) : parts
}
