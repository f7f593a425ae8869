import type { ASTNode } from '@marcbachmann/cel-js'
import { isRecord } from '../../base/json/value.ts'
import { type EventView, isIdToCome, missingMessage, placesOf } from '../../model/event-view.ts'
import { PRICE, stepsOfText } from '../step-budget.ts'
import { shown } from '../verdict.ts'
import { comprehension } from './comprehension.ts'
import { callFunction, callMethod } from './functions.ts'
import { COMPREHENSIONS, partsOf } from './parse.ts'
import { type Chain, chainOf, charged, stepsOf } from './prices.ts'
import { type Code, calculate, compare, equal, isIn, type Run, SPENT, Trouble } from './values.ts'

/** A path of the event that an expression reads; `isProbe` when it only asks whether it is there. */
export type Read = { names: readonly string[]; isProbe: boolean }

/** Where a node is compiled: the element's name inside a comprehension, and the paths collected so far. */
type Scope = { variable: string | null; reads: Read[] }

/**
 * Compiles a checked syntax tree. cel-js' own evaluator would keep the types of all values forever,
 * throw for a missing member, and know neither our places of a path nor a count of steps.
 */
export function codeOf(node: ASTNode, scope: Scope): Code {
  const chain = chainOf(node, scope.variable)
  if (chain !== null) return chainCode(chain, scope, false)
  switch (node.op) {
    case 'value': {
      const value = typeof node.args === 'bigint' ? Number(node.args) : node.args
      return () => value
    }
    case '.':
    case '.?': {
      const [left, name] = node.args
      return unary(codeOf(left, scope), (value) => memberOf(value, name))
    }
    case '[]':
    case '[?]':
      return binary(codesOf(node.args, scope), itemOf)
    case 'list': {
      const codes = codesOf(node.args, scope)
      return (run) => listOf(codes, run)
    }
    case '!_':
      return unary(codeOf(node.args, scope), (value) =>
        typeof value === 'boolean' ? !value : notBoolean(value),
      )
    case '-_':
      return unary(codeOf(node.args, scope), (value, run) => calculate('-', 0, value, run.budget))
    case '&&':
      return logical(branchesOf(node.args, scope), false)
    case '||':
      return logical(branchesOf(node.args, scope), true)
    case '?:':
      return conditional(branchesOf(node.args, scope))
    case 'call':
      return callCode(node.args[0], node.args[1], scope)
    case 'rcall':
      return methodCode(node, scope)
    default:
      return binary(codesOf(partsOf(node), scope), operation(node.op))
  }
}

type Operation = (left: unknown, right: unknown, run: Run) => unknown

function operation(op: ASTNode['op']): Operation {
  switch (op) {
    case '==':
      return (left, right, run) => equal(left, right, run.budget)
    case '!=':
      return (left, right, run) => {
        const same = equal(left, right, run.budget)
        return same instanceof Trouble ? same : !same
      }
    case 'in':
      return (left, right, run) => isIn(left, right, run.budget)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return (left, right, run) => compare(op, left, right, run.budget)
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return (left, right, run) => calculate(op, left, right, run.budget)
    default:
      return () => new Trouble('failed', () => `${op} is not offered`)
  }
}

function codesOf(nodes: readonly ASTNode[], scope: Scope): readonly Code[] {
  return nodes.map((node) => codeOf(node, scope))
}

/** The first part is always evaluated; the others are paid for only if they are. */
function branchesOf([first, ...others]: readonly ASTNode[], scope: Scope): readonly Code[] {
  if (first === undefined) return []
  const always = codeOf(first, scope)
  return [
    always,
    ...others.map((node) => charged(codeOf(node, scope), stepsOf(node, scope.variable) * factorOf(scope))),
  ]
}

/** Inside a comprehension the same code runs for each element. */
function factorOf({ variable }: Scope): number {
  return variable === null ? PRICE.onceFactor : 1
}

const nothing: Code = () => undefined

function unary(code: Code, apply: (value: unknown, run: Run) => unknown): Code {
  return (run) => {
    const value = code(run)
    return value instanceof Trouble ? value : apply(value, run)
  }
}

function binary([left = nothing, right = nothing]: readonly Code[], apply: Operation): Code {
  return (run) => {
    const a = left(run)
    if (a instanceof Trouble) return a
    const b = right(run)
    return b instanceof Trouble ? b : apply(a, b, run)
  }
}

/** CEL's `&&` and `||`: the deciding value wins on either side, even over trouble on the other. */
function logical([left = nothing, right = nothing]: readonly Code[], deciding: boolean): Code {
  return (run) => {
    const a = left(run)
    if (a === deciding) return deciding
    const b = right(run)
    if (b === deciding) return deciding
    if (a instanceof Trouble) return a
    if (typeof a !== 'boolean') return notBoolean(a)
    return b instanceof Trouble || typeof b === 'boolean' ? b : notBoolean(b)
  }
}

function conditional([condition = nothing, yes = nothing, no = nothing]: readonly Code[]): Code {
  return unary(condition, (value, run) =>
    typeof value === 'boolean' ? (value ? yes : no)(run) : notBoolean(value),
  )
}

function listOf(codes: readonly Code[], run: Run): unknown {
  const values: unknown[] = []
  for (const code of codes) {
    const value = code(run)
    if (value instanceof Trouble) return value
    values.push(value)
  }
  return values
}

function callCode(name: string, args: readonly ASTNode[], scope: Scope): Code {
  const [argument] = args
  if (argument === undefined) return nothing
  const chain = name === 'has' ? chainOf(argument, scope.variable) : null
  if (chain !== null) {
    const code = chainCode(chain, scope, true)
    return (run) => !(code(run) instanceof Trouble)
  }
  return unary(codeOf(argument, scope), (value, run) => callFunction(name, value, run.budget))
}

function methodCode(node: Extract<ASTNode, { op: 'rcall' }>, scope: Scope): Code {
  const [name, receiver, args] = node.args
  const [first] = args
  if (COMPREHENSIONS.has(name) && first?.op === 'id') {
    const inner = { ...scope, variable: first.args }
    const parts = args.slice(1)
    const stepsEach = PRICE.element + parts.reduce((sum, part) => sum + stepsOf(part, inner.variable), 0)
    return comprehension(name, codeOf(receiver, scope), codesOf(parts, inner), stepsEach)
  }
  if (first === undefined)
    return unary(codeOf(receiver, scope), (value, run) => callMethod(name, value, undefined, run.budget))
  return binary([codeOf(receiver, scope), codeOf(first, scope)], (value, argument, run) =>
    callMethod(name, value, argument, run.budget),
  )
}

function chainCode({ isElement, names }: Chain, scope: Scope, isProbe: boolean): Code {
  const path = [...(isElement ? [scope.variable] : []), ...names].join('.')
  // A name in brackets may hold a dot.
  const key = names.join('\u0000')
  const missing = new Trouble('missing', () => `${path} is missing`)
  const idToCome = (view: EventView) => new Trouble('missing', () => missingMessage(view, path, names))
  if (isElement) {
    return (run) => {
      const value = follow(run.element, names, 0)
      return value === undefined ? missing : value
    }
  }
  scope.reads.push({ names, isProbe })
  const [root = ''] = names
  return (run) => {
    const value = readOnce(run, key, root, names)
    if (value === SPENT) return SPENT
    if (value !== undefined) return value
    return isIdToCome(run.view, names) ? idToCome(run.view) : missing
  }
}

/** Remembers `readPath` with the event: the expressions of many subscriptions read the same few paths. */
function readOnce(
  { view, read, budget }: Run,
  path: string,
  root: string,
  names: readonly string[],
): unknown {
  let value = read.get(path)
  if (value === undefined && !read.has(path)) {
    if (!budget.spend(PRICE.path + names.length)) return SPENT
    value = readPath(view, root, names)
    read.set(path, value)
  }
  return value
}

/**
 * Reads the value at a path, undefined when there is none: the first place that holds the whole
 * path counts. It does not cross lists: CEL has `items.exists(i, …)` for that.
 */
function readPath(view: EventView, root: string, names: readonly string[]): unknown {
  if (isIdToCome(view, names)) return undefined
  for (const place of placesOf(view, root, names.length > 1)) {
    const value = follow(place, names, 1)
    if (value !== undefined) return value
  }
  return undefined
}

/** The value of the path in an event, for messages; undefined when there is none. */
export function valueAt(view: EventView, names: readonly string[]): unknown {
  return readPath(view, names[0] ?? '', names)
}

function follow(start: unknown, names: readonly string[], from: number): unknown {
  let value = start
  for (let at = from; at < names.length; at++) {
    const name = names[at]
    if (name === undefined || !isRecord(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function memberOf(value: unknown, name: string): unknown {
  const member = follow(value, [name], 0)
  return member === undefined
    ? new Trouble('missing', () => `${shown(value)} has no member "${name}"`)
    : member
}

/** `list[0]`, `object["name"]`. */
function itemOf(value: unknown, key: unknown, { budget }: Run): unknown {
  if (typeof key === 'string') return budget.spend(stepsOfText(key.length)) ? memberOf(value, key) : SPENT
  const item = Array.isArray(value) && typeof key === 'number' ? value[key] : undefined
  return item === undefined
    ? new Trouble('missing', () => `${shown(value)} has no element ${shown(key)}`)
    : item
}

function notBoolean(value: unknown): Trouble {
  return new Trouble('wrong_type', () => `${shown(value)} is neither true nor false`)
}
