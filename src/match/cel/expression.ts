import type { EventView } from '../../model/event-view.ts'
import { exhausted, PRICE } from '../step-budget.ts'
import { cut, type Refused, type Rule, shown } from '../verdict.ts'
import { codeOf, type Read, valueAt } from './compile.ts'
import { parseExpression } from './parse.ts'
import { charged, stepsOf } from './prices.ts'
import { startRun, Trouble } from './values.ts'

/** A compiled CEL expression. */
type Expression = {
  rule: Rule
  /** The paths of the event that it reads, in order of appearance. */
  reads: readonly Read[]
}

const SHOWN_READS_MAX = 3

/**
 * Compiles a CEL expression, or says at which line and column it is wrong. Names are looked up as
 * in filters; left out are `matches`, nested comprehensions, splitting, joining, bytes, durations
 * and map literals. All numbers are doubles.
 */
export function compileExpression(
  text: string,
): { ok: true; expression: Expression } | { ok: false; message: string } {
  const parsed = parseExpression(text)
  if ('problem' in parsed) {
    const { at, message } = parsed.problem
    return { ok: false, message: `must be a CEL expression: ${positionOf(text, at)}: ${message}` }
  }
  const reads: Read[] = []
  const code = charged(
    codeOf(parsed.tree, { variable: null, reads }),
    PRICE.onceFactor * stepsOf(parsed.tree, null),
  )
  // A budget that was overdrawn counts even where the other side of an "or" is true.
  const holds: Rule['holds'] = (view, budget) => code(startRun(view, budget)) === true && budget.left >= 0
  const explain: Rule['explain'] = (view, budget) => {
    const value = code(startRun(view, budget))
    if (budget.left < 0) return exhausted(budget)
    return value === true ? null : refusalOf(text, value, view, reads)
  }
  return { ok: true, expression: { rule: { holds, explain }, reads } }
}

function refusalOf(text: string, value: unknown, view: EventView, reads: readonly Read[]): Refused {
  if (value instanceof Trouble)
    return { reason: value.reason, message: `${cut(text)} does not hold: ${value.message}` }
  if (value !== false)
    return {
      reason: 'wrong_type',
      message: `${cut(text)} gives ${shown(value)}, which is neither true nor false`,
    }
  const names = new Map(
    reads.filter(({ isProbe }) => !isProbe).map((read) => [read.names.join('.'), read.names]),
  )
  const values = [...names].slice(0, SHOWN_READS_MAX).map(([path, each]) => {
    const found = valueAt(view, each)
    return found === undefined ? `${path} is missing` : `${path} is ${shown(found)}`
  })
  const because = values.length === 0 ? '' : `: ${values.join(', ')}`
  return { reason: 'not_satisfied', message: `${cut(text)} is false${because}` }
}

function positionOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
