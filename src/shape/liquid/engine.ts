/// <reference path="./liquid.d.ts" />
import {
  Liquid,
  Output,
  type PropertyAccessToken,
  type Tag,
  type Template,
  type Token,
  TypeGuards,
} from 'liquidjs/dist/liquid.browser.mjs'
import type { EventView } from '../../model/event-view.ts'
import { type Budget, TEMPLATE_CHARS_MAX } from './budget.ts'
import { problemsOf } from './check.ts'
import { templateFilters } from './filters/filters.ts'
import { EventContext, lookUpInEvent, type Names } from './scope.ts'
import { BoundedCapture, CountedFor, TextEmitter, WeighedCase, weighedOperators } from './tags.ts'

/**
 * One string, ready to render. `path` and `expression` consist of one `{{path}}` and keep the type
 * of its value; an `expression` has a path with names that come from the event.
 */
export type CompiledText =
  | { kind: 'constant'; text: string }
  | { kind: 'path'; names: Names }
  | { kind: 'expression'; output: Output }
  | { kind: 'text'; templates: Template[] }

/** The result of one string: a value of its own type, or text. */
export type Rendered = { kind: 'value'; value: unknown } | { kind: 'text'; text: string }

/** The tags of templates: none that reads files, changes the event or prints HTML tables. */
const TAGS: readonly string[] =
  'if unless case for break continue assign capture comment raw echo liquid #'.split(' ')

const engine = createEngine()

/** Compiles one string; a message names the problem with its line and column. */
export function compileText(
  source: string,
): { ok: true; compiled: CompiledText } | { ok: false; message: string } {
  if (!source.includes('{{') && !source.includes('{%')) {
    return { ok: true, compiled: { kind: 'constant', text: source } }
  }
  try {
    const templates = engine.parse(source)
    const [problem] = problemsOf(templates)
    if (problem !== undefined) return { ok: false, message: problem.message + positionOf(problem.token) }
    return { ok: true, compiled: solePath(templates) ?? { kind: 'text', templates } }
  } catch (error) {
    return { ok: false, message: reasonOf(error) }
  }
}

/** Work that yields where others may have their turn. */
export type InTurns<T> = Generator<void, T, void>

/** Renders one string. Throws errors that `reasonOf` explains: those of a filter or of the budget. */
export function* renderText(compiled: CompiledText, view: EventView, budget: Budget): InTurns<Rendered> {
  switch (compiled.kind) {
    case 'constant':
      return { kind: 'text', text: compiled.text }
    case 'path':
      return { kind: 'value', value: lookUpInEvent(view, compiled.names, budget) }
    case 'expression': {
      const context = new EventContext(view, budget, engine)
      return { kind: 'value', value: yield* run(compiled.output.value.value(context), budget) }
    }
    case 'text': {
      const context = new EventContext(view, budget, engine)
      const emitter = new TextEmitter(budget, (chars) => budget.emit(chars))
      yield* run(engine.renderer.renderTemplates(compiled.templates, context, emitter), budget)
      return { kind: 'text', text: emitter.buffer }
    }
  }
}

/** Explains an error of compiling or rendering to the template's author. */
export function reasonOf(error: unknown): string {
  if (error instanceof RangeError && error.message.includes('call stack')) return 'is nested too deeply'
  if (!(error instanceof Error)) return 'cannot be rendered'
  return error.message
    .replace(/, line:(\d+), col:(\d+)$/, ' (line $1, column $2)')
    .replace(/^tag "(.*?)" not found/, `has no tag "$1"; the tags are ${TAGS.join(', ')}`)
    .replace(/^undefined filter: (\S*)/, 'has no filter "$1"')
    .replace(/^Maximum call stack size exceeded/, 'is nested too deeply')
}

/**
 * Drives liquidjs' generators as its own `toValueSync` does, and counts their steps: each loop,
 * comparison of lists and evaluation of an expression passes through here.
 */
function* run(task: unknown, budget: Budget): InTurns<unknown> {
  if (!isGenerator(task)) return task
  let state = task.next()
  while (!state.done) {
    budget.step()
    if (budget.endsTurn()) yield
    let value: unknown
    try {
      value = isGenerator(state.value) ? yield* run(state.value, budget) : state.value
    } catch (error) {
      state = task.throw(error)
      continue
    }
    state = task.next(value)
  }
  return yield* run(state.value, budget)
}

function isGenerator(task: unknown): task is Generator<unknown, unknown, unknown> {
  return typeof task === 'object' && task !== null && 'next' in task && typeof task.next === 'function'
}

function createEngine(): Liquid {
  const liquid = new Liquid({
    fs: {},
    relativeReference: false,
    dynamicPartials: false,
    strictFilters: true,
    ownPropertyOnly: true,
    locale: 'en-US',
    parseLimit: TEMPLATE_CHARS_MAX,
    operators: weighedOperators,
  })
  const bounded: Record<string, typeof Tag> = { for: CountedFor, case: WeighedCase, capture: BoundedCapture }
  const tags = TAGS.map((name) => [name, bounded[name] ?? liquid.tags[name]])
  liquid.tags = Object.assign(Object.create(null), Object.fromEntries(tags))
  liquid.filters = Object.assign(Object.create(null), templateFilters)
  return liquid
}

/** The one `{{path}}` of which a string consists, or null where it holds more. */
function solePath(templates: readonly Template[]): CompiledText | null {
  const [output, ...others] = templates
  if (!(output instanceof Output) || others.length > 0 || output.value.filters.length > 0) return null
  const [token, ...operators] = output.value.initial.postfix
  if (operators.length > 0 || !TypeGuards.isPropertyAccessToken(token)) return null
  if (token.variable !== undefined) return null
  const names = staticNames(token)
  return names === null ? { kind: 'expression', output } : { kind: 'path', names }
}

function staticNames({ props }: PropertyAccessToken): Names | null {
  const names: unknown[] = []
  for (const prop of props) {
    if (!TypeGuards.isWordToken(prop) && !TypeGuards.isQuotedToken(prop) && !TypeGuards.isNumberToken(prop)) {
      return null
    }
    names.push(prop.content)
  }
  return names
}

function positionOf(token: Token): string {
  const [line, column] = token.getPosition()
  return ` (line ${line}, column ${column})`
}
