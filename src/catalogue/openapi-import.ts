import * as z from 'zod'
import { elementStarts, memberSpans } from '../base/json/members.ts'
import { isRecord } from '../base/json/value.ts'
import {
  catalogueNameSchema,
  draftEventType,
  EVENT_TYPES_MAX,
  type EventTypeDraft,
  exampleText,
  namedEventTypeSchema,
} from './catalogue.ts'
import { IMPORT_SPENT, ImportBudget } from './import-budget.ts'
import type { Document } from './openapi-references.ts'
import { WebhookReader } from './openapi-webhook.ts'
import { isDeeperThan } from './schema/compile.ts'

/** Most bytes that one import makes: a schema that many webhooks refer to is repeated in each. */
const IMPORT_BYTES_MAX = 8_000_000
const DOCUMENT_DEPTH_MAX = 100

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
type OwnList = z.infer<typeof ownListSchema>

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

/** A reading in pieces of bounded work, between which others may have their turn. */
type InTurns = Generator<void, ReadImport, void>

/**
 * Reads an import: `{"eventTypes": [...]}`, which must be right as a whole, or an OpenAPI 3.1 document
 * (or `{"openapi": <document>}`), whose webhooks are taken where they are event types.
 */
export function* readImport(body: Record<string, unknown>, text: string): InTurns {
  if (Object.hasOwn(body, 'eventTypes')) {
    const parsed = ownListSchema.safeParse(body)
    yield
    if (!parsed.success) return { kind: 'invalid', error: parsed.error, path: '' }
    return yield* readOwnList(parsed.data, text)
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
  yield
  if (!parsed.success) return { kind: 'invalid', error: parsed.error, path: isWrapped ? 'openapi' : '' }
  return yield* readWebhooks(parsed.data, parsed.data.webhooks)
}

function* readOwnList({ eventTypes }: OwnList, text: string): InTurns {
  const budget = new ImportBudget()
  const issues: z.core.$ZodIssue[] = []
  for (const [index, { schema, example }] of eventTypes.entries()) {
    for (const { path, message } of budget.exampleProblems(schema, example))
      issues.push({ code: 'custom', path: ['eventTypes', index, path], message, input: example })
    if (budget.takesTurn()) yield
  }
  if (issues.length > 0) return { kind: 'invalid', error: new z.ZodError(issues), path: '' }
  const starts = elementStarts(text, memberSpans(text, 0).get('eventTypes')?.start ?? 0)
  const types = eventTypes.map((type, index) =>
    draftEventType(type.name, type, exampleText(text, starts[index] ?? 0)),
  )
  return { kind: 'read', types, skipped: [], warnings: [] }
}

function* readWebhooks(document: Document, webhooks: Document): InTurns {
  const read = { kind: 'read', types: [], skipped: [], warnings: [] } as Extract<ReadImport, { kind: 'read' }>
  const budget = new ImportBudget()
  const reader = new WebhookReader(document, budget)
  let bytes = 0
  for (const [name, item] of Object.entries(webhooks)) {
    if (budget.takesTurn()) yield
    const type = budget.isSpent ? IMPORT_SPENT : readType(reader, name, item)
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
  reader: WebhookReader,
  name: string,
  item: unknown,
): { draft: EventTypeDraft; warnings: string[] } | string {
  const named = catalogueNameSchema.safeParse(name)
  if (!named.success) return `name: ${named.error.issues[0]?.message ?? 'must be an event type'}`
  const found = reader.read(item)
  return typeof found === 'string' ? found : { draft: { name, ...found.body }, warnings: found.warnings }
}
