import * as z from 'zod'
import { atOnce } from '../base/concurrency/yielder.ts'
import { parseRawJson } from '../base/json/raw-number.ts'
import { isRecord } from '../base/json/value.ts'
import type { EventView } from '../model/event-view.ts'
import { CONTENT_TYPES_HINT, JSON_TYPE, type OutputFormat, outputFormat } from './content-type.ts'
import { Budget, type SharedWork } from './liquid/budget.ts'
import { type InTurns, reasonOf } from './liquid/engine.ts'
import { compileTemplate, type TemplateProblem } from './liquid/tree.ts'
import { Rendering, writeTemplate } from './liquid/writer.ts'

const SHAPE_HINT = 'an object, a list or a string'
const templateSchema = z
  .custom<unknown>((template) => template !== undefined, `is required: ${SHAPE_HINT}`)
  .meta({ like: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string()]) })

/**
 * Validates a subscription's `transform`: `template` is JSON whose strings are Liquid templates, or
 * one string that is the whole output. A string that does not compile is refused by its path.
 */
export const transformSchema = z
  .strictObject({ template: templateSchema, contentType: z.string().optional() })
  .superRefine((transform, context) => {
    for (const { path, message } of transformProblems(transform)) {
      context.addIssue({ code: 'custom', path, message })
    }
  })
  .meta({
    id: 'Transform',
    example: { template: { id: '{{data.object.id}}' }, contentType: JSON_TYPE },
  })

/** A validated `transform`. */
export type Transform = z.infer<typeof transformSchema>

/** A `transform` that was validated when it was saved; its template is not compiled again. */
export const storedTransformSchema = z.object({
  template: z.unknown(),
  contentType: z.string().optional(),
})

/**
 * An event to render: the text of its default payload. Transforms that get the same object parse it
 * once.
 */
export type TemplateInput = { text: string }

/**
 * The output, or the reason why there is none: `path` names the string that failed
 * (`template.amount`).
 */
type RenderedTransform =
  | { kind: 'rendered'; text: string; contentType: string }
  | { kind: 'failed'; path: string; message: string }

/**
 * Renders one event. The same event always gives the same bytes, or fails where its claim's shared
 * work is spent.
 */
export type CompiledTransform = Renderer<RenderedTransform>

/** Renders one event at once, or in turns, where others may have theirs meanwhile. */
export type Renderer<T> = {
  (input: TemplateInput, shared?: SharedWork): T
  inTurns: (input: TemplateInput, shared?: SharedWork) => InTurns<T>
}

/**
 * Compiles a stored transform. One that no longer compiles gives a function that says so for every
 * event.
 */
export function compileTransform(transform: Transform): CompiledTransform {
  const contentType = transform.contentType ?? JSON_TYPE
  const format = outputFormat(contentType)
  const template = compileTemplate(transform.template)
  const [problem] = problemsFor(format, template.kind === 'refused' ? template.problems : [], transform)
  if (problem !== undefined || format === null || template.kind === 'refused') {
    const failed = failure(problem?.path.join('.') ?? 'template', problem?.message ?? CONTENT_TYPES_HINT)
    // biome-ignore lint/correctness/useYield: there is nothing to render.
    return atOnceOrInTurns(function* () {
      return failed
    })
  }
  const { root } = template
  return atOnceOrInTurns(function* (input, shared) {
    const view = viewOf(input)
    if (view === null) return failure('template', 'needs the JSON text of an event')
    const rendering = new Rendering(view, new Budget(input.text.length, shared))
    try {
      return { kind: 'rendered', text: yield* writeTemplate(root, format, rendering), contentType }
    } catch (error) {
      return failure(rendering.path, reasonOf(error))
    }
  })
}

/** Makes a renderer of one that works in turns. */
export function atOnceOrInTurns<T>(inTurns: Renderer<T>['inTurns']): Renderer<T> {
  return Object.assign((input: TemplateInput, shared?: SharedWork) => atOnce(inTurns(input, shared)), {
    inTurns,
  })
}

function transformProblems(transform: Transform): TemplateProblem[] {
  const template = compileTemplate(transform.template)
  const format = outputFormat(transform.contentType ?? JSON_TYPE)
  return problemsFor(format, template.kind === 'refused' ? template.problems : [], transform)
}

function problemsFor(
  format: OutputFormat | null,
  problems: readonly TemplateProblem[],
  { template }: Transform,
): TemplateProblem[] {
  const own = shapeProblem(format, template)
  const others = format === null ? [{ path: ['contentType'], message: CONTENT_TYPES_HINT }] : []
  return [...(own === null ? [] : [{ path: ['template'], message: own }]), ...problems, ...others]
}

function shapeProblem(format: OutputFormat | null, template: unknown): string | null {
  if (typeof template === 'string') return null
  if (typeof template !== 'object' || template === null) return `must be ${SHAPE_HINT}`
  if (format === 'text') return 'must be one string, the whole text, for a content type of text or XML'
  if (format === 'form' && Array.isArray(template)) return 'must be an object, the form, or one string'
  return null
}

/** Parsed events by input, so that an event with many subscriptions is parsed once. */
const views = new WeakMap<TemplateInput, EventView | null>()

/** The event as templates see it; null for a text that is none. */
export function viewOf(input: TemplateInput): EventView | null {
  const known = views.get(input)
  if (known !== undefined) return known
  const view = parseView(input.text)
  views.set(input, view)
  return view
}

function parseView(text: string): EventView | null {
  let event: unknown
  try {
    event = parseRawJson(text)
  } catch {
    return null
  }
  if (!isRecord(event) || typeof event['event'] !== 'string') return null
  const { data, context } = event
  return {
    ...event,
    data: isRecord(data) ? data : {},
    context: isRecord(context) ? context : {},
  } as EventView
}

function failure(path: string, message: string): RenderedTransform {
  return { kind: 'failed', path, message }
}
