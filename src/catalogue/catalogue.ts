import * as z from 'zod'
import { memberSpans } from '../base/json/members.ts'
import { isRecord } from '../base/json/value.ts'
import type { Problem } from '../model/errors.ts'
import { eventTypeSchema, OPERATIONAL_PREFIX } from '../model/event-type.ts'
import type { EventTypeEnforcement, WorkspaceSettings } from '../workspace/settings.ts'
import { type Budget, CHECK_STEPS_MAX, checkData } from './schema/check.ts'
import { type CompiledSchema, compileSchema, JSON_BYTES_MAX, sizeProblem } from './schema/compile.ts'

/** Most event types in a workspace's catalogue. */
export const EVENT_TYPES_MAX = 1000
/** Most bytes of all schemas of a workspace, which every isolate that publishes for it holds in memory. */
export const SCHEMAS_BYTES_MAX = 4_000_000

/** The name of a type in the catalogue: an event type that is not one of the relay's own. */
export const catalogueNameSchema = eventTypeSchema.refine(
  (name) => !name.startsWith(OPERATIONAL_PREFIX),
  `must not begin with "${OPERATIONAL_PREFIX}": these are the relay's own event types`,
)

const exampleSchema = z
  .custom<Record<string, unknown>>(isRecord, 'must be a JSON object')
  .superRefine((example, context) => {
    const message = sizeProblem(example)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })
  .meta({
    like: z.record(z.string(), z.unknown()),
    description: `At most ${JSON_BYTES_MAX} bytes; used as test data`,
  })

const dataSchemaSchema = z
  .custom<Record<string, unknown>>(isRecord, 'must be a JSON Schema: an object')
  .superRefine((schema, context) => {
    const compiled = compileSchema(schema)
    for (const issue of compiled.ok ? [] : compiled.problems) context.addIssue({ code: 'custom', ...issue })
  })
  .meta({
    like: z.record(z.string(), z.unknown()),
    description: `JSON Schema 2020-12 of "data", at most ${JSON_BYTES_MAX} bytes`,
  })

const nullableText = (max: number) =>
  z
    .string()
    .max(max, `must be at most ${max.toLocaleString('en-US')} characters`)
    .nullable()
    .optional()

const eventTypeShape = {
  description: nullableText(1000),
  group: nullableText(100),
  schema: dataSchemaSchema.nullable().optional(),
  example: exampleSchema.nullable().optional(),
  deprecated: z.boolean().optional(),
}

const eventTypeFieldsSchema = z.strictObject({ name: catalogueNameSchema.optional(), ...eventTypeShape })

/** Body of `PUT /event-types/{name}`; `name` may be repeated. What is left out is removed. */
export const eventTypeBodySchema = eventTypeFieldsSchema
  .superRefine(requireMatchingExample)
  .meta({ id: 'EventTypeSettings' })

/** One type of a list that is imported; the list's examples share the budget of one import. */
export const namedEventTypeSchema = z
  .strictObject({ name: catalogueNameSchema, ...eventTypeShape })
  .meta({ id: 'NamedEventType' })

/** The parts of a type that a webhook gives; an example that does not match costs only itself. */
export const eventTypePartsSchema = z.strictObject({
  schema: eventTypeShape.schema,
  example: eventTypeShape.example,
})

type EventTypeBody = z.infer<typeof eventTypeFieldsSchema>

/** A type to be saved. `schema` and `example` are JSON texts. */
export type EventTypeDraft = {
  name: string
  description: string | null
  group: string | null
  schema: string | null
  example: string | null
  deprecated: boolean
}

/** A type as it is saved. Times are unix milliseconds. */
export type EventType = EventTypeDraft & { createdAtMs: number; updatedAtMs: number }

/**
 * Makes the draft of a validated body. `sent` is the example's own text,
 * so that test deliveries carry 2567.50 and long integers as such; without
 * it, or with too much white space in it, the value is written anew.
 */
export function draftEventType(name: string, body: EventTypeBody, sent?: string): EventTypeDraft {
  const textOf = (value: object | null | undefined) =>
    value === null || value === undefined ? null : JSON.stringify(value)
  const isKept = isRecord(body.example) && sent !== undefined && sent.length <= JSON_BYTES_MAX
  return {
    name,
    description: body.description ?? null,
    group: body.group ?? null,
    schema: textOf(body.schema),
    example: isKept ? sent : textOf(body.example),
    deprecated: body.deprecated ?? false,
  }
}

/** The text of the member `example` of an object in a JSON text. */
export function exampleText(text: string, objectStart: number): string | undefined {
  const span = memberSpans(text, objectStart).get('example')
  return span === undefined ? undefined : text.slice(span.start, span.end)
}

/**
 * Finds where an example does not match its schema;
 * nothing when either is missing or unusable by itself.
 */
export function exampleProblems(
  schema: unknown,
  example: unknown,
  budget: Budget = { steps: CHECK_STEPS_MAX },
): Problem[] {
  if (schema === undefined || schema === null || !isRecord(example) || sizeProblem(example) !== null)
    return []
  const compiled = compileSchema(schema)
  return compiled.ok ? checkData(compiled.schema, { root: 'example', data: example }, budget) : []
}

function requireMatchingExample(body: EventTypeBody, context: z.RefinementCtx): void {
  for (const { path, message } of exampleProblems(body.schema, body.example)) {
    context.addIssue({ code: 'custom', path: [path], message })
  }
}

/** A type as enforcement needs it; `schema` is JSON text. */
export type CatalogueEntry = { name: string; schema: string | null; deprecated: boolean }

/** The catalogue's objection to an event. */
export type CatalogueProblem = { kind: 'unknown_type' } | { kind: 'invalid'; problems: Problem[] }

/** A workspace's event types, ready to check events. */
export type Catalogue = {
  /** Answers null for an event as its type's schema has it, and while enforcement is off. Never throws. */
  check: (type: string, data: unknown, budget?: Budget) => CatalogueProblem | null
  isDeprecated: (type: string) => boolean
}

/** Makes a catalogue of saved types; each schema is compiled when its type is first seen. */
export function compileCatalogue(
  types: readonly CatalogueEntry[],
  enforcement: EventTypeEnforcement,
): Catalogue {
  const entries = new Map(types.map((entry) => [entry.name, entry]))
  const compiled = new Map<string, CompiledSchema | null>()
  const schemaOf = (name: string, text: string) => {
    const known = compiled.get(name)
    if (known !== undefined) return known
    const schema = compileText(text)
    compiled.set(name, schema)
    return schema
  }
  return {
    check: (type, data, budget = { steps: CHECK_STEPS_MAX }) => {
      if (enforcement === 'off') return null
      const entry = entries.get(type)
      if (entry === undefined) return { kind: 'unknown_type' }
      if (entry.schema === null) return null
      const schema = schemaOf(type, entry.schema)
      const problems = schema === null ? [UNREADABLE] : checkData(schema, { root: 'data', data }, budget)
      return problems.length === 0 ? null : { kind: 'invalid', problems }
    },
    isDeprecated: (type) => entries.get(type)?.deprecated ?? false,
  }
}

/** Happens only if a later version of the relay reads schemas more strictly than the one that saved it. */
const UNREADABLE: Problem = {
  path: 'data',
  message: 'cannot be checked: the schema of its event type must be saved again',
}

function compileText(text: string): CompiledSchema | null {
  try {
    const compiled = compileSchema(JSON.parse(text))
    return compiled.ok ? compiled.schema : null
  } catch {
    return null
  }
}

type EnforcementSettings = Pick<WorkspaceSettings, 'eventTypeEnforcement'>

/** The verdict of the catalogue and the workspace's settings at a publish. */
export type Enforced =
  | { kind: 'ok' }
  | { kind: 'warned'; warnings: string[] }
  | { kind: 'rejected'; details: Problem[] }

/**
 * Applies the catalogue at a publish. The events of one request may share a budget, so that a thousand
 * take no more steps than one; those it does not suffice for count as invalid.
 */
export function enforce(
  { catalogue, settings }: { catalogue: Catalogue; settings: EnforcementSettings },
  { type, data }: { type: string; data: unknown },
  budget?: Budget,
): Enforced {
  const { eventTypeEnforcement } = settings
  if (eventTypeEnforcement === 'off') return { kind: 'ok' }
  const details = detailsOf(type, catalogue.check(type, data, budget))
  if (details.length > 0 && eventTypeEnforcement === 'reject') return { kind: 'rejected', details }
  const warnings = details.map(({ path, message }) => `${path} ${message}`)
  if (catalogue.isDeprecated(type)) warnings.push(`event: the type "${type}" is deprecated`)
  return warnings.length === 0 ? { kind: 'ok' } : { kind: 'warned', warnings }
}

function detailsOf(type: string, problem: CatalogueProblem | null): Problem[] {
  if (problem === null) return []
  if (problem.kind === 'invalid') return problem.problems
  return [
    { path: 'event', message: `must be a type of the catalogue (GET /event-types); "${type}" is not in it` },
  ]
}
