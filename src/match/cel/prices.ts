import type { ASTNode } from '@marcbachmann/cel-js'
import { PRICE } from '../step-budget.ts'
import { COMPREHENSIONS, partsOf } from './parse.ts'
import { type Code, SPENT } from './values.ts'

/** The names of a node that is nothing but names, in the event or below an element. */
export type Chain = { isElement: boolean; names: string[] }

/** The names of `a.b["c-d"]`; null where a node is more than names. A string in brackets is one name. */
export function chainOf(node: ASTNode, variable: string | null): Chain | null {
  if (node.op === 'id') {
    return node.args === variable ? { isElement: true, names: [] } : { isElement: false, names: [node.args] }
  }
  if (node.op !== '.' && node.op !== '[]') return null
  const [left, right] = node.args
  const name = typeof right === 'string' ? right : right.op === 'value' ? right.args : null
  const chain = typeof name === 'string' ? chainOf(left, variable) : null
  if (chain === null || typeof name !== 'string') return null
  return { ...chain, names: [...chain.names, name] }
}

/** Pays for a node each time before it is evaluated. */
export function charged(code: Code, steps: number): Code {
  return (run) => (run.budget.spend(steps) ? code(run) : SPENT)
}

/**
 * Counts the steps of evaluating a node once: without those that its functions spend on their
 * values, and without parts that may not be reached, which pay by themselves (`charged`).
 */
export function stepsOf(node: ASTNode, variable: string | null): number {
  const chain = chainOf(node, variable)
  if (chain !== null) return chain.isElement ? 1 + chain.names.length : PRICE.pathAgain
  return ownSteps(node) + alwaysEvaluated(node).reduce((sum, part) => sum + stepsOf(part, variable), 0)
}

function alwaysEvaluated(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case '&&':
    case '||':
    case '?:':
      return partsOf(node).slice(0, 1)
    case 'rcall':
      // A comprehension pays for its parts with each element.
      return COMPREHENSIONS.has(node.args[0]) ? [node.args[1]] : partsOf(node)
    default:
      return partsOf(node)
  }
}

function ownSteps(node: ASTNode): number {
  if (node.op === 'value') return 0
  if (node.op !== 'call') return 1
  switch (node.args[0]) {
    case 'timestamp':
      return PRICE.timestamp
    case 'int':
    case 'double':
    case 'string':
      return PRICE.number
    default:
      return 1
  }
}
