import {
  CaptureTag,
  CaseTag,
  type Context,
  defaultOperators,
  type Emitter,
  evalTokenValue,
  ForTag,
  type Operator,
  type RangeToken,
  type Tag,
  type Token,
  TokenKind,
} from 'liquidjs/dist/liquid.browser.mjs'
import { rawText } from '../../base/json/raw-number.ts'
import { type Budget, BudgetError, ITERATIONS_MAX } from './budget.ts'
import { budgetOf } from './scope.ts'

/** The work of listing one member of an object. */
const MEMBER_WORK = 32

type TagParameters = ConstructorParameters<typeof Tag>

/**
 * Counts each iteration by a template before the loop's own, and pays for the copy that liquidjs
 * makes.
 */
export class CountedFor extends ForTag {
  constructor(...parameters: TagParameters) {
    super(...parameters)
    this.templates.unshift({ token: this.token, render: (context) => budgetOf(context).iterate() })
  }

  override *render(context: Context, emitter: Emitter): Generator<unknown, unknown, unknown> {
    const list = yield evalTokenValue(this.collection, context)
    budgetOf(context).use(listWork(list))
    return yield* super.render(context, emitter)
  }
}

/** Pays for comparing what the case is about with each of its values. */
export class WeighedCase extends CaseTag {
  override *render(context: Context, emitter: Emitter): Generator<unknown, unknown, unknown> {
    const subject = yield this.value.value(context)
    const budget = budgetOf(context)
    const comparisons = this.branches.reduce((sum, { values }) => sum + values.length, 0)
    budget.use(budget.weigh(subject) * comparisons)
    return yield* super.render(context, emitter)
  }
}

/** Bounds a captured text while it is written. */
export class BoundedCapture extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, unknown> {
    const budget = budgetOf(context)
    const emitter = new TextEmitter(budget, (chars) => budget.use(chars))
    yield this.liquid.renderer.renderTemplates(this.templates, context, emitter)
    context.bottom()[this.variable] = emitter.buffer
  }
}

/** Collects a template's text and pays for it before it grows. */
export class TextEmitter implements Emitter {
  buffer = ''
  readonly #budget: Budget
  readonly #pay: (chars: number) => void

  constructor(budget: Budget, pay: (chars: number) => void) {
    this.#budget = budget
    this.#pay = pay
  }

  write(value: unknown): void {
    if (typeof value === 'object') this.#budget.weigh(value)
    const text = rawText(value)
    this.#pay(text.length)
    this.buffer += text
  }
}

/** Pays beforehand: comparisons walk both sides, and print lists to order them. */
export const weighedOperators: Record<string, Operator> = Object.fromEntries(
  Object.entries(defaultOperators).map(([name, compare]) => [
    name,
    isLogical(name) ? compare : weighing(compare, name === 'contains'),
  ]),
)

/**
 * Makes a range count its numbers before it lists them: liquidjs' own adds 1 until it has passed
 * the end, which it never does beyond 2^53. liquidjs lets tokens with an `initial` expression
 * evaluate themselves.
 */
export function boundRange(token: RangeToken): void {
  const { lhs, rhs } = token
  Object.assign(token, {
    kind: TokenKind.FilteredValue,
    filters: [],
    initial: { postfix: [lhs, rhs], evaluate: (context: Context) => numbersBetween(lhs, rhs, context) },
  })
}

function* numbersBetween(from: Token, to: Token, context: Context): Generator<unknown, number[], unknown> {
  const start = Number(yield evalTokenValue(from, context))
  const end = Number(yield evalTokenValue(to, context))
  const count = Math.max(0, Math.floor(end - start) + 1) || 0
  if (count > ITERATIONS_MAX) {
    throw new BudgetError(`must have ranges of at most ${ITERATIONS_MAX} numbers`)
  }
  budgetOf(context).use(count)
  return Array.from({ length: count }, (_, index) => start + index)
}

function weighing(compare: Operator, searches: boolean): Operator {
  return (left, right, context) => {
    const budget = budgetOf(context)
    if (searches && typeof left === 'string') budget.search(left, right)
    budget.weigh(left)
    budget.weigh(right)
    return compare(left, right, context)
  }
}

function isLogical(operator: string): boolean {
  return operator === 'and' || operator === 'or' || operator === 'not'
}

function listWork(list: unknown): number {
  if (Array.isArray(list)) return list.length
  return typeof list === 'object' && list !== null ? MEMBER_WORK * Object.keys(list).length : 1
}
