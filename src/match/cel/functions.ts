import { isRecord } from '../../base/json/value.ts'
import { containsText, stepsOfSearch } from '../contains-text.ts'
import { type StepBudget, stepsOfComparing, stepsOfScan } from '../step-budget.ts'
import { shown } from '../verdict.ts'
import { lowerAscii, stepsOfCase, upperAscii } from './ascii-case.ts'
import { SPENT, Trouble } from './values.ts'

/** A method of texts, and the steps it takes for the characters that it looks at. */
type TextFunction = {
  call(text: string, other: string): unknown
  steps(text: string, other: string): number
}

/** The engine compares no more than the shorter text. */
const comparing = (text: string, other: string) => stepsOfComparing(Math.min(text.length, other.length))

const TEXT_METHODS: ReadonlyMap<string, TextFunction> = new Map<string, TextFunction>([
  ['contains', { call: containsText, steps: stepsOfSearch }],
  ['startsWith', { call: (text, other) => text.startsWith(other), steps: comparing }],
  ['endsWith', { call: (text, other) => text.endsWith(other), steps: comparing }],
  ['lowerAscii', { call: lowerAscii, steps: stepsOfCase }],
  ['upperAscii', { call: upperAscii, steps: stepsOfCase }],
  ['trim', { call: (text) => text.trim(), steps: (text) => stepsOfScan(text.length) }],
])

/** CEL's methods on strings, and `size`. */
export function callMethod(name: string, receiver: unknown, argument: unknown, budget: StepBudget): unknown {
  if (name === 'size') return sizeOf(receiver, budget)
  const method = TEXT_METHODS.get(name)
  if (method === undefined || typeof receiver !== 'string') {
    const hint = name === 'contains' && Array.isArray(receiver) ? ': write value in list' : ''
    return new Trouble('wrong_type', () => `${name}() is for strings, not for ${shown(receiver)}${hint}`)
  }
  if (argument !== undefined && typeof argument !== 'string') {
    return new Trouble('wrong_type', () => `${name}() takes a string, not ${shown(argument)}`)
  }
  const other = argument ?? ''
  return budget.spend(1 + method.steps(receiver, other)) ? method.call(receiver, other) : SPENT
}

/** CEL's functions of one argument. */
export function callFunction(name: string, argument: unknown, budget: StepBudget): unknown {
  switch (name) {
    case 'size':
      return sizeOf(argument, budget)
    case 'int':
      return toNumber(argument, 'int', /^-?\d{1,19}$/)
    case 'double':
      return toNumber(
        argument,
        'double',
        /^-?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/,
      )
    case 'string':
      return toText(argument)
    case 'timestamp':
      return toTimestamp(argument)
    default:
      return argument
  }
}

/** Code points of a string, elements of a list, members of an object. */
function sizeOf(value: unknown, budget: StepBudget): unknown {
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') {
    return budget.spend(stepsOfScan(value.length)) ? codePointsOf(value) : SPENT
  }
  if (!isRecord(value) || value instanceof Date)
    return new Trouble('wrong_type', () => `${shown(value)} has no size`)
  if (!budget.spend(0)) return SPENT
  const count = Object.keys(value).length
  return budget.spend(count) ? count : SPENT
}

function codePointsOf(text: string): number {
  let pairs = 0
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) pairs++
  }
  return text.length - pairs
}

function toNumber(value: unknown, target: 'int' | 'double', grammar: RegExp): unknown {
  const number = typeof value === 'string' && grammar.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number))
    return target === 'int' ? Math.trunc(number) : number
  return new Trouble('wrong_type', () => `${shown(value)} is no ${target}`)
}

function toText(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return value.toISOString()
  return new Trouble('wrong_type', () => `${shown(value)} is no string`)
}

/** RFC 3339 texts, as CEL has it, and unix seconds. */
function toTimestamp(value: unknown): unknown {
  const isText = typeof value === 'string' && RFC_3339.test(value)
  const date = isText ? new Date(value) : new Date(typeof value === 'number' ? value * 1000 : Number.NaN)
  return Number.isNaN(date.getTime())
    ? new Trouble('wrong_type', () => `${shown(value)} is no timestamp`)
    : date
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
