import { z } from 'zod'
import { elementStarts, memberSpans } from '../base/json/members.ts'
import { isRecord } from '../base/json/value.ts'
import {
  catalogueNameSchema,
  draftEventType,
  EVENT_TYPES_MAX,
  type EventTypeDraft,
  eventTypeBodySchema,
  exampleProblems,
  exampleText,
  namedEventTypeSchema,
} from './catalogue.ts'
import { bundle, type Document, follow } from './openapi-references.ts'
import { isDeeperThan, JSON_BYTES_MAX, sizeProblem } from './schema/compile.ts'

/** Most bytes that one import makes: a schema that many webhooks refer to is repeated in each. */
const IMPORT_BYTES_MAX = 8_000_000
const DOCUMENT_DEPTH_MAX = 100
/** Most schemas that are searched for the payload's `data`. */
const BASES_MAX = 50

/** A type that was left out, or taken without some part, and why. */
export type ImportNote = { name: string; reason: string }

/** The types in an import's body, or its refusal; `path` is where the error's paths begin. */
export type ReadImport =
  | { kind: 'read'; types: EventTypeDraft[]; skipped: ImportNote[]; warnings: ImportNote[] }
  | { kind: 'invalid'; error: z.ZodError; path: string }

const ownListSchema = z.strictObject({
  eventTypes: z
    .array(namedEventTypeSchema)
    .max(EVENT_TYPES_MAX, `must hold at most ${EVENT_TYPES_MAX.toLocaleString('en-US')} event types`)
    .superRefine((types, context) => {
      const seen = new Set<string>()
      for (const [index, { name }] of types.entries()) {
        if (seen.has(name))
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is given twice' })
        seen.add(name)
      }
    }),
})

const documentSchema = z
  .looseObject({
    openapi: z
      .string('must be the version of an OpenAPI 3.1 document, such as "3.1.0"')
      .regex(/^3\.[12]\.\d+/, 'must be the version of an OpenAPI 3.1 document, such as "3.1.0"'),
    webhooks: z
      .custom<Document>(isRecord, 'must be an object: the webhooks of an OpenAPI 3.1 document by event type')
      .refine(
        (webhooks) => !isRecord(webhooks) || Object.keys(webhooks).length <= EVENT_TYPES_MAX,
        `must hold at most ${EVENT_TYPES_MAX.toLocaleString('en-US')} webhooks`,
      ),
  })
  .refine(
    (document) => !isDeeperThan(document, DOCUMENT_DEPTH_MAX),
    `must be nested at most ${DOCUMENT_DEPTH_MAX} levels deep`,
  )

/**
 * Reads an import: `{"eventTypes": [...]}`, which must be right as a whole, or an OpenAPI 3.1 document
 * (or `{"openapi": <document>}`), whose webhooks are taken where they are event types.
 */
export function readImport(body: Record<string, unknown>, text: string): ReadImport {
  if (Object.hasOwn(body, 'eventTypes')) {
    const parsed = ownListSchema.safeParse(body)
    if (!parsed.success) return { kind: 'invalid', error: parsed.error, path: '' }
    const starts = elementStarts(text, memberSpans(text, 0).get('eventTypes')?.start ?? 0)
    const types = parsed.data.eventTypes.map((type, index) =>
      draftEventType(type.name, type, exampleText(text, starts[index] ?? 0)),
    )
    return { kind: 'read', types, skipped: [], warnings: [] }
  }
  if (!Object.hasOwn(body, 'openapi')) {
    const message = 'must be {"eventTypes": [...]}, an OpenAPI 3.1 document, or {"openapi": <document>}'
    return {
      kind: 'invalid',
      error: new z.ZodError([{ code: 'custom', path: [], message, input: body }]),
      path: '',
    }
  }
  const isWrapped = isRecord(body['openapi'])
  const parsed = documentSchema.safeParse(isWrapped ? body['openapi'] : body)
  if (!parsed.success) return { kind: 'invalid', error: parsed.error, path: isWrapped ? 'openapi' : '' }
  return readWebhooks(parsed.data, parsed.data.webhooks)
}

function readWebhooks(document: Document, webhooks: Document): ReadImport {
  const read = { kind: 'read', types: [], skipped: [], warnings: [] } as Extract<ReadImport, { kind: 'read' }>
  let bytes = 0
  for (const [name, item] of Object.entries(webhooks)) {
    const type = readType(document, name, item)
    if (typeof type === 'string') {
      read.skipped.push({ name: name.slice(0, 200), reason: type })
      continue
    }
    bytes += (type.draft.schema?.length ?? 0) + (type.draft.example?.length ?? 0)
    if (bytes > IMPORT_BYTES_MAX) {
      read.skipped.push({ name, reason: 'the import has grown too large: import it by itself' })
      continue
    }
    read.types.push(type.draft)
    read.warnings.push(...type.warnings.map((reason) => ({ name, reason })))
  }
  return read
}

/** A webhook as an event type, or why it cannot be one. */
function readType(
  document: Document,
  name: string,
  item: unknown,
): { draft: EventTypeDraft; warnings: string[] } | string {
  const named = catalogueNameSchema.safeParse(name)
  if (!named.success) return `name: ${named.error.issues[0]?.message ?? 'must be an event type'}`
  const found = readWebhook(document, item)
  if (typeof found === 'string') return found
  const body = eventTypeBodySchema.safeParse(found.body)
  if (!body.success) return reasonOf(body.error)
  return { draft: draftEventType(name, body.data), warnings: found.warnings }
}

function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues
  return issue === undefined ? 'it cannot be read' : `${issue.path.map(String).join('.')}: ${issue.message}`
}

type FoundWebhook = { body: Document; warnings: string[] }

/**
 * Reads one webhook for the catalogue; only the example
 * is validated. A text says why it cannot be read.
 */
function readWebhook(document: Document, item: unknown): FoundWebhook | string {
  const path = follow(document, item)
  const operation =
    ['post', 'put', 'patch', 'get', 'delete'].map((method) => path[method]).find(isRecord) ?? {}
  const texts = [operation['description'], operation['summary'], path['description'], path['summary']]
  const description = texts.find((text) => typeof text === 'string' && text !== '')
  const group = Array.isArray(operation['tags']) ? operation['tags'][0] : undefined
  const media = jsonContent(follow(document, operation['requestBody'])['content'])
  const given = media['schema']
  const dataSchema = dataPart(document, given)
  const bundled = bundle(document, dataSchema ?? given)
  if (bundled === null)
    return `schema: must be at most ${JSON_BYTES_MAX.toLocaleString('en-US')} bytes, with all it refers to`
  const { schema, warnings } = bundled
  const example = exampleOf(document, media)
  const data =
    isRecord(example) && (dataSchema !== undefined || (given === undefined && isRecord(example['data'])))
      ? example['data']
      : example
  const refusal = data === undefined ? null : exampleRefusal(schema, data)
  if (refusal !== null) warnings.push(`without its example: ${refusal}`)
  return {
    body: {
      description: typeof description === 'string' ? cut(description, 1000) : null,
      group: typeof group === 'string' ? cut(group, 100) : null,
      schema,
      example: refusal === null ? data : undefined,
      deprecated: operation['deprecated'] === true,
    },
    warnings,
  }
}

/** An example's own faults cost the example, not the type. */
function exampleRefusal(schema: unknown, example: unknown): string | null {
  if (!isRecord(example)) return 'it must be a JSON object'
  const [problem] = exampleProblems(schema, example)
  return sizeProblem(example) ?? (problem === undefined ? null : `${problem.path} ${problem.message}`)
}

function jsonContent(content: unknown): Document {
  if (!isRecord(content)) return {}
  const type = Object.keys(content).find((name) => /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i.test(name))
  const media = type === undefined ? undefined : content[type]
  return isRecord(media) ? media : {}
}

function exampleOf(document: Document, media: Document): unknown {
  if (media['example'] !== undefined) return media['example']
  const [first] = isRecord(media['examples']) ? Object.values(media['examples']) : []
  return follow(document, first)['value']
}

/** The schema of the payload's `data`, where the webhook's schema is that of a whole payload. */
function dataPart(document: Document, schema: unknown, seen = new Set<unknown>()): unknown {
  const found = follow(document, schema)
  if (seen.has(found) || seen.size >= BASES_MAX) return undefined
  seen.add(found)
  const properties = found['properties']
  if (isRecord(properties) && Object.hasOwn(properties, 'data')) return properties['data']
  const bases = Array.isArray(found['allOf']) ? found['allOf'] : []
  // A payload that refines a common envelope gives its own `data` last.
  return bases.map((base) => dataPart(document, base, seen)).findLast((part) => part !== undefined)
}

/** Cuts a text to a length, never through a character. */
function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}
