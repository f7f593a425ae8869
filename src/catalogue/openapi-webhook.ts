import type * as z from 'zod'
import { isRecord } from '../base/json/value.ts'
import { type EventTypeDraft, eventTypePartsSchema } from './catalogue.ts'
import { countParts, type ImportBudget } from './import-budget.ts'
import { type Document, References, SIZE_PARTS_MAX } from './openapi-references.ts'
import { JSON_BYTES_MAX, sizeProblem } from './schema/compile.ts'

/** Most schemas that are searched for the payload's `data`. */
const BASES_MAX = 50

const SIZE = JSON_BYTES_MAX.toLocaleString('en-US')

/** The schema and the example of a webhook, as JSON texts. */
type Parts = Pick<EventTypeDraft, 'schema' | 'example'> & { warnings: string[] }

type FoundWebhook = { body: Omit<EventTypeDraft, 'name'>; warnings: string[] }

/**
 * Reads the webhooks of one document for the catalogue. Parts that many of them refer to are read
 * once, and kept by the object that holds them or the reference to it.
 */
export class WebhookReader {
  readonly #references: References
  readonly #budget: ImportBudget
  readonly #media = new Map<unknown, Document>()
  readonly #parts = new Map<unknown, Parts | string>()

  constructor(document: Document, budget: ImportBudget) {
    this.#references = new References(document)
    this.#budget = budget
  }

  /** Reads one webhook; a text says why it cannot be read. */
  read(item: unknown): FoundWebhook | string {
    const path = this.#references.follow(item)
    const operation =
      ['post', 'put', 'patch', 'get', 'delete'].map((method) => path[method]).find(isRecord) ?? {}
    const texts = [operation['description'], operation['summary'], path['description'], path['summary']]
    const description = texts.find((text) => typeof text === 'string' && text !== '')
    const group = Array.isArray(operation['tags']) ? operation['tags'][0] : undefined
    const parts = this.#partsOf(this.#mediaOf(this.#references.follow(operation['requestBody'])['content']))
    if (typeof parts === 'string') return parts
    const { schema, example, warnings } = parts
    return {
      body: {
        description: typeof description === 'string' ? cut(description, 1000) : null,
        group: typeof group === 'string' ? cut(group, 100) : null,
        schema,
        example,
        deprecated: operation['deprecated'] === true,
      },
      warnings,
    }
  }

  /** Finds the JSON among the types of a content. */
  #mediaOf(content: unknown): Document {
    const known = this.#media.get(content)
    if (known !== undefined) return known
    const media = jsonMedia(content)
    this.#media.set(content, media)
    return media
  }

  #partsOf(media: Document): Parts | string {
    const key = keyOf(media)
    const parts = this.#parts.get(media) ?? this.#parts.get(key) ?? this.#readParts(media)
    this.#parts.set(media, parts)
    this.#parts.set(key, parts)
    return parts
  }

  #readParts(media: Document): Parts | string {
    const given = media['schema']
    const dataSchema = this.#dataPart(given, new Set())
    const { bundle, parts } = this.#references.bundle(dataSchema ?? given)
    this.#budget.read(parts)
    if (bundle === null) return `schema: must be at most ${SIZE} bytes, with all it refers to`
    const { schema, warnings } = bundle
    const example = this.#exampleOf(media)
    const data =
      isRecord(example) && (dataSchema !== undefined || (given === undefined && isRecord(example['data'])))
        ? example['data']
        : example
    const refusal = data === undefined ? null : this.#sizeRefusal(data)
    const read = eventTypePartsSchema.safeParse({ schema, example: refusal === null ? data : undefined })
    if (!read.success) return reasonOf(read.error)
    const mismatch = data === undefined || refusal !== null ? refusal : this.#mismatch(schema, data)
    return {
      schema: schema === undefined ? null : JSON.stringify(schema),
      example: data === undefined || mismatch !== null ? null : JSON.stringify(data),
      warnings: mismatch === null ? warnings : [...warnings, `without its example: ${mismatch}`],
    }
  }

  /** An example's own faults cost the example, not the type. Its size is looked at first. */
  #sizeRefusal(example: unknown): string | null {
    if (!isRecord(example)) return 'it must be a JSON object'
    const parts = countParts(example, SIZE_PARTS_MAX)
    this.#budget.read(parts)
    return parts > SIZE_PARTS_MAX ? `must be at most ${SIZE} bytes as JSON` : sizeProblem(example)
  }

  #mismatch(schema: unknown, example: unknown): string | null {
    const [problem] = this.#budget.exampleProblems(schema, example)
    return problem === undefined ? null : `${problem.path} ${problem.message}`
  }

  #exampleOf(media: Document): unknown {
    if (media['example'] !== undefined) return media['example']
    const [first] = isRecord(media['examples']) ? Object.values(media['examples']) : []
    return this.#references.follow(first)['value']
  }

  /** The schema of the payload's `data`, where the webhook's schema is that of a whole payload. */
  #dataPart(schema: unknown, seen: Set<unknown>): unknown {
    const found = this.#references.follow(schema)
    if (seen.has(found) || seen.size >= BASES_MAX) return undefined
    seen.add(found)
    const properties = found['properties']
    if (isRecord(properties) && Object.hasOwn(properties, 'data')) return properties['data']
    const bases: readonly unknown[] = Array.isArray(found['allOf']) ? found['allOf'] : []
    // A payload that refines a common envelope gives its own `data` last.
    for (let at = bases.length - 1; at >= 0 && seen.size < BASES_MAX; at--) {
      const part = this.#dataPart(bases[at], seen)
      if (part !== undefined) return part
    }
    return undefined
  }
}

/** Webhooks mostly have objects of their own, which hold nothing but the same reference. */
function keyOf(media: Document): unknown {
  const reference = soleMember(soleMember(media, 'schema'), '$ref')
  return typeof reference === 'string' ? reference : media
}

function soleMember(value: unknown, name: string): unknown {
  if (!isRecord(value)) return undefined
  for (const other in value) if (other !== name) return undefined
  return value[name]
}

function jsonMedia(content: unknown): Document {
  if (!isRecord(content)) return {}
  const type = Object.keys(content).find((name) => /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i.test(name))
  const media = type === undefined ? undefined : content[type]
  return isRecord(media) ? media : {}
}

function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues
  return issue === undefined ? 'it cannot be read' : `${issue.path.map(String).join('.')}: ${issue.message}`
}

/** Cuts a text to a length, never through a character. */
function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}
